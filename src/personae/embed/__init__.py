"""EMBED: photos in, faces out."""

from personae.embed.album import Album, Timings, embed_photos
from personae.embed.embedder import Embedder, Preprocessing, sface
from personae.embed.photos import ENDINGS, Skipped

__all__ = ["ENDINGS", "Album", "Embedder", "Preprocessing", "Skipped", "Timings", "embed_photos", "sface"]
