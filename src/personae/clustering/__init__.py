"""Which linked faces are one person: a clusterer turns link weights into labels."""

from personae.clustering.components import Components
from personae.clustering.map_equation import MapEquation

__all__ = ["Components", "MapEquation"]
