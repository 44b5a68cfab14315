"""The faces: what they are, how they are read and written, and made ones to test with."""

from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet, Sources
from personae.data.formats import read_faces, read_labels, write_faces, write_labels
from personae.data.formats_constraints import read_constraints, write_constraints
from personae.data.ids import Ids
from personae.data.joined import read_truth_and_labels
from personae.data.synthetic import SyntheticIdentities, synthetic_faces, write_synthetic_faces
from personae.data.synthetic_embedder import SyntheticEmbedder, like_dlib, like_sface

__all__ = [
    "Constraints",
    "FaceSet",
    "Ids",
    "Sources",
    "SyntheticEmbedder",
    "SyntheticIdentities",
    "like_dlib",
    "like_sface",
    "read_constraints",
    "read_faces",
    "read_labels",
    "read_truth_and_labels",
    "synthetic_faces",
    "write_constraints",
    "write_faces",
    "write_labels",
    "write_synthetic_faces",
]
