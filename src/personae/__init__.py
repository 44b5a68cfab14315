"""personae finds the people in a pile of faces: photos or face embeddings in, one group a person out."""

__version__ = "0.1.0"
