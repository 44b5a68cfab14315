"""Which neighbors are the same person: a link model turns similarities into link weights."""

from personae.link.outlier_detection import OutlierDetection
from personae.link.strangers import Sample, Strangers, strangers_of

__all__ = ["OutlierDetection", "Sample", "Strangers", "strangers_of"]
