"""Which linked faces are one person: a clusterer turns link weights into labels."""

from personae.clustering.components import Components
from personae.clustering.density_tree import DensityTree
from personae.clustering.map_equation import MapEquation
from personae.clustering.propagation import Propagation
from personae.clustering.rank_order import RankOrder

__all__ = ["Components", "DensityTree", "MapEquation", "Propagation", "RankOrder"]
