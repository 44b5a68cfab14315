"""The tables of the papers, on the papers' own data."""

from personae.papers.benchmark import Line, benchmark, refuse_unknown
from personae.papers.published import DATA_SETS, DataSet

__all__ = ["DATA_SETS", "DataSet", "Line", "benchmark", "refuse_unknown"]
