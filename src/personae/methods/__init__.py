"""Each published method as one scikit-learn estimator: a composition of search, links and clusterer."""

from pathlib import Path
from typing import Any

from personae.errors import InputError
from personae.link.weights import need_torch, read_weights
from personae.methods.affinity_propagation import AffinityPropagation
from personae.methods.aro import ARO
from personae.methods.auto import Auto, cluster
from personae.methods.ball_clusters import BallClusters
from personae.methods.c1c import C1C
from personae.methods.cdp import CDP
from personae.methods.chinese_whispers import ChineseWhispers
from personae.methods.dbscan import DBSCAN
from personae.methods.ddc import DDC
from personae.methods.density_peaks import DensityPeaks
from personae.methods.facemap import FaceMap
from personae.methods.facet import FaceT
from personae.methods.fces import FCES
from personae.methods.finch import FINCH
from personae.methods.gcn_d import GCND
from personae.methods.gcn_ds import GCNDS
from personae.methods.gcn_v import GCNV
from personae.methods.gcn_ve import GCNVE
from personae.methods.hac import HAC
from personae.methods.hdbscan import HDBSCAN
from personae.methods.kmeans import KMeans
from personae.methods.l_gcn import LGCN
from personae.methods.learned import LearnedClusterer
from personae.methods.mean_shift import MeanShift
from personae.methods.mediated_cdp import MediatedCDP
from personae.methods.pahc import PAHC
from personae.methods.rank_order import RankOrder
from personae.methods.siamese import Siamese
from personae.methods.spectral import Spectral
from personae.methods.star_fc import StarFC
from personae.methods.threshold import Threshold
from personae.methods.video_transformer import VideoTransformer

METHODS: dict[str, Any] = {
    "affinity_propagation": AffinityPropagation,
    "aro": ARO,
    "auto": Auto,
    "c1c": C1C,
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

LEARNED: dict[str, Any] = {
    "facet": FaceT,
    "gcn_d": GCND,
    "gcn_ds": GCNDS,
    "gcn_v": GCNV,
    "gcn_ve": GCNVE,
    "l_gcn": LGCN,
    "mediated_cdp": MediatedCDP,
    "star_fc": StarFC,
}

OF_TRACKS: dict[str, Any] = {"ball_clusters": BallClusters}  # learned as well, but they link no faces

OF_FILMS: dict[str, Any] = {  # these learn from the tracks they cluster
    "siamese": Siamese,
    "video_transformer": VideoTransformer,
}


def load(path: Path | str) -> LearnedClusterer | BallClusters:
    """The trained model of a file that `save` or `personae train` wrote, whatever its method.

    InputError: no such file, or no model of ours in it. MissingExtraError: torch is not installed.
    """
    need_torch()
    saved, _ = read_weights(Path(path))
    known = LEARNED | OF_TRACKS
    if saved.method not in known:
        raise InputError(f"{path} holds a model of {saved.method}, which this version does not know")
    method: LearnedClusterer | BallClusters = known[saved.method].read(path)
    return method


__all__ = [
    "ARO",
    "C1C",
    "CDP",
    "DBSCAN",
    "DDC",
    "FCES",
    "FINCH",
    "GCND",
    "GCNDS",
    "GCNV",
    "GCNVE",
    "HAC",
    "HDBSCAN",
    "LEARNED",
    "LGCN",
    "METHODS",
    "OF_FILMS",
    "OF_TRACKS",
    "PAHC",
    "AffinityPropagation",
    "Auto",
    "BallClusters",
    "ChineseWhispers",
    "DensityPeaks",
    "FaceMap",
    "FaceT",
    "KMeans",
    "LearnedClusterer",
    "MeanShift",
    "MediatedCDP",
    "RankOrder",
    "Siamese",
    "Spectral",
    "StarFC",
    "Threshold",
    "VideoTransformer",
    "cluster",
    "load",
]
