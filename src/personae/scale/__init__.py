"""Collections that grow, and stages on disk for large ones."""

from personae.scale.gallery import Drift, Gallery
from personae.scale.growth import update

__all__ = ["Drift", "Gallery", "update"]
