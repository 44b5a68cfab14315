"""The faces: what they are, how they are read and written, and made ones to test with."""

from personae.data.faceset import FaceSet, Sources

__all__ = ["FaceSet", "Sources"]
