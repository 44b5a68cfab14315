"""Collections that grow, and collections that are large."""

from personae.scale.gallery import Drift, Gallery
from personae.scale.growth import update

__all__ = ["Drift", "Gallery", "update"]
