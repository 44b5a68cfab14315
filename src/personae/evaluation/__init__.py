"""How good the clusters are: the metrics of the face-clustering papers, exact and over one sparse table."""

from personae.evaluation.agreement import ari
from personae.evaluation.bcubed import bcubed
from personae.evaluation.bootstrap import Interval, Intervals, ScoreInterval, bootstrap, bootstrap_of
from personae.evaluation.contingency import Contingency, contingency
from personae.evaluation.expected import Expected, ExpectedScore, expected
from personae.evaluation.identity import cluster_ratio, fi, singleton_ratio
from personae.evaluation.information import Information, information, nmi
from personae.evaluation.links import LinkCurve, LinkPoints, link_curve, link_points
from personae.evaluation.neighbors import neighbor_score, upper_bound_labels
from personae.evaluation.pairwise import pairwise
from personae.evaluation.purity import purity
from personae.evaluation.report import Evaluation, evaluate, evaluation_of
from personae.evaluation.score import Score
from personae.evaluation.sizes import SizeBin, by_size
from personae.evaluation.splits import mixtures, splits

__all__ = [
    "Contingency",
    "Evaluation",
    "Expected",
    "ExpectedScore",
    "Information",
    "Interval",
    "Intervals",
    "LinkCurve",
    "LinkPoints",
    "Score",
    "ScoreInterval",
    "SizeBin",
    "ari",
    "bcubed",
    "bootstrap",
    "bootstrap_of",
    "by_size",
    "cluster_ratio",
    "contingency",
    "evaluate",
    "evaluation_of",
    "expected",
    "fi",
    "information",
    "link_curve",
    "link_points",
    "mixtures",
    "neighbor_score",
    "nmi",
    "pairwise",
    "purity",
    "singleton_ratio",
    "splits",
    "upper_bound_labels",
]
