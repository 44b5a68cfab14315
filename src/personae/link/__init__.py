"""Which neighbors are the same person: a link model turns similarities into link weights."""

from personae.link.approximate_rank_order import ApproximateRankOrder
from personae.link.consensus import Consensus
from personae.link.edge_probability import EdgeProbability
from personae.link.outlier_detection import OutlierDetection
from personae.link.strangers import Sample, Strangers, strangers_of
from personae.link.transition_overlap import TransitionOverlap

__all__ = [
    "ApproximateRankOrder",
    "Consensus",
    "EdgeProbability",
    "OutlierDetection",
    "Sample",
    "Strangers",
    "TransitionOverlap",
    "strangers_of",
]
