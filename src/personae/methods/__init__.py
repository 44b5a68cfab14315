"""Each published method as one scikit-learn estimator: a composition of search, links and clusterer."""

from typing import Any

from personae.methods.affinity_propagation import AffinityPropagation
from personae.methods.aro import ARO
from personae.methods.auto import Auto, cluster
from personae.methods.cdp import CDP
from personae.methods.chinese_whispers import ChineseWhispers
from personae.methods.dbscan import DBSCAN
from personae.methods.ddc import DDC
from personae.methods.density_peaks import DensityPeaks
from personae.methods.facemap import FaceMap
from personae.methods.fces import FCES
from personae.methods.finch import FINCH
from personae.methods.hac import HAC
from personae.methods.hdbscan import HDBSCAN
from personae.methods.kmeans import KMeans
from personae.methods.mean_shift import MeanShift
from personae.methods.pahc import PAHC
from personae.methods.rank_order import RankOrder
from personae.methods.spectral import Spectral
from personae.methods.threshold import Threshold

METHODS: dict[str, Any] = {
    "affinity_propagation": AffinityPropagation,
    "aro": ARO,
    "auto": Auto,
    "cdp": CDP,
    "chinese_whispers": ChineseWhispers,
    "dbscan": DBSCAN,
    "ddc": DDC,
    "density_peaks": DensityPeaks,
    "facemap": FaceMap,
    "fces": FCES,
    "finch": FINCH,
    "hac": HAC,
    "hdbscan": HDBSCAN,
    "kmeans": KMeans,
    "mean_shift": MeanShift,
    "pahc": PAHC,
    "rank_order": RankOrder,
    "spectral": Spectral,
    "threshold": Threshold,
}

__all__ = [
    "ARO",
    "CDP",
    "DBSCAN",
    "DDC",
    "FCES",
    "FINCH",
    "HAC",
    "HDBSCAN",
    "METHODS",
    "PAHC",
    "AffinityPropagation",
    "Auto",
    "ChineseWhispers",
    "DensityPeaks",
    "FaceMap",
    "KMeans",
    "MeanShift",
    "RankOrder",
    "Spectral",
    "Threshold",
    "cluster",
]
