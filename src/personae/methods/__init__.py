"""Each published method as one scikit-learn estimator: a composition of search, links and clusterer."""

from personae.methods.auto import Auto, cluster
from personae.methods.facemap import FaceMap
from personae.methods.threshold import Threshold

METHODS = {"auto": Auto, "facemap": FaceMap, "threshold": Threshold}

__all__ = ["METHODS", "Auto", "FaceMap", "Threshold", "cluster"]
