"""Each published method as one scikit-learn estimator: a composition of search, links and clusterer."""

from typing import Any

from personae.methods.aro import ARO
from personae.methods.auto import Auto, cluster
from personae.methods.cdp import CDP
from personae.methods.density_peaks import DensityPeaks
from personae.methods.facemap import FaceMap
from personae.methods.fces import FCES
from personae.methods.rank_order import RankOrder
from personae.methods.threshold import Threshold

METHODS: dict[str, Any] = {
    "aro": ARO,
    "auto": Auto,
    "cdp": CDP,
    "density_peaks": DensityPeaks,
    "facemap": FaceMap,
    "fces": FCES,
    "rank_order": RankOrder,
    "threshold": Threshold,
}

__all__ = [
    "ARO",
    "CDP",
    "FCES",
    "METHODS",
    "Auto",
    "DensityPeaks",
    "FaceMap",
    "RankOrder",
    "Threshold",
    "cluster",
]
