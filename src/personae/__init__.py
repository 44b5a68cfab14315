"""personae finds the people in a pile of faces: photos or face embeddings in, one group a person out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from personae.data import (
        Constraints,
        FaceSet,
        SyntheticIdentities,
        read_faces,
        synthetic_faces,
        write_faces,
    )
    from personae.embed import embed_photos
    from personae.errors import InputError, MissingExtraError, OutputError, PersonaeError
    from personae.evaluation import evaluate
    from personae.graph import KnnGraph, knn_graph
    from personae.methods import (
        ARO,
        C1C,
        CDP,
        DBSCAN,
        DDC,
        FCES,
        FINCH,
        GCND,
        GCNDS,
        GCNV,
        GCNVE,
        HAC,
        HDBSCAN,
        LGCN,
        PAHC,
        AffinityPropagation,
        Auto,
        BallClusters,
        ChineseWhispers,
        DensityPeaks,
        FaceMap,
        FaceT,
        KMeans,
        MeanShift,
        MediatedCDP,
        RankOrder,
        Siamese,
        Spectral,
        StarFC,
        Threshold,
        VideoTransformer,
        cluster,
        load,
    )
    from personae.scale import Gallery, update

_HOME = {
    "data": ("Constraints", "FaceSet", "SyntheticIdentities", "read_faces", "synthetic_faces", "write_faces"),
    "embed": ("embed_photos",),
    "errors": ("InputError", "MissingExtraError", "OutputError", "PersonaeError"),
    "evaluation": ("evaluate",),
    "graph": ("KnnGraph", "knn_graph"),
    "methods": (
        "ARO",
        "C1C",
        "CDP",
        "DBSCAN",
        "DDC",
        "FCES",
        "FINCH",
        "GCND",
        "GCNDS",
        "GCNV",
        "GCNVE",
        "HAC",
        "HDBSCAN",
        "LGCN",
        "PAHC",
        "AffinityPropagation",
        "Auto",
        "BallClusters",
        "ChineseWhispers",
        "DensityPeaks",
        "FaceMap",
        "FaceT",
        "KMeans",
        "MeanShift",
        "MediatedCDP",
        "RankOrder",
        "Siamese",
        "Spectral",
        "StarFC",
        "Threshold",
        "VideoTransformer",
        "cluster",
        "load",
    ),
    "scale": ("Gallery", "update"),
}

__all__ = [  # noqa: RUF022  (plainly sorted)
    "ARO",
    "AffinityPropagation",
    "Auto",
    "BallClusters",
    "C1C",
    "CDP",
    "ChineseWhispers",
    "Constraints",
    "DBSCAN",
    "DDC",
    "DensityPeaks",
    "FCES",
    "FINCH",
    "FaceMap",
    "FaceSet",
    "FaceT",
    "GCND",
    "GCNDS",
    "GCNV",
    "GCNVE",
    "Gallery",
    "HAC",
    "HDBSCAN",
    "InputError",
    "KMeans",
    "KnnGraph",
    "LGCN",
    "MeanShift",
    "MediatedCDP",
    "MissingExtraError",
    "OutputError",
    "PAHC",
    "PersonaeError",
    "RankOrder",
    "Siamese",
    "Spectral",
    "StarFC",
    "SyntheticIdentities",
    "Threshold",
    "VideoTransformer",
    "cluster",
    "embed_photos",
    "evaluate",
    "knn_graph",
    "load",
    "read_faces",
    "synthetic_faces",
    "update",
    "write_faces",
]


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used, so that `import personae` and `--help` are quick."""
    for home, names in _HOME.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"personae.{home}"), name)
            return value
    raise AttributeError(f"module 'personae' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
