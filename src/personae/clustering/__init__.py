"""Which linked faces are one person: a clusterer turns link weights into labels."""

from personae.clustering.agglomeration import Agglomeration
from personae.clustering.chinese_whispers import Whispers
from personae.clustering.components import Components
from personae.clustering.dbscan import DensityReach
from personae.clustering.de_overlap import DeOverlap, Suppression
from personae.clustering.density_tree import DensityTree
from personae.clustering.hdbscan import ExcessOfMass
from personae.clustering.map_equation import MapEquation
from personae.clustering.propagation import Propagation
from personae.clustering.rank_order import RankOrder

__all__ = [
    "Agglomeration",
    "Components",
    "DeOverlap",
    "DensityReach",
    "DensityTree",
    "ExcessOfMass",
    "MapEquation",
    "Propagation",
    "RankOrder",
    "Suppression",
    "Whispers",
]
