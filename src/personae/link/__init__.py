"""Which neighbors are the same person: a link model turns similarities into link weights."""

from personae.link.outlier_detection import OutlierDetection
from personae.link.strangers import Strangers, strangers_of

__all__ = ["OutlierDetection", "Strangers", "strangers_of"]
