"""A kNN graph as a file."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from personae.data.atomic import atomic_write
from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph


def write_graph(graph: KnnGraph, path: Path) -> None:
    """Writes `.npz`, uncompressed, with `neighbors` (N, k) int32 and `similarities` (N, k)."""
    refuse_other_name(path)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, neighbors=graph.neighbors, similarities=graph.similarities)


def refuse_other_name(path: Path) -> None:
    """InputError unless `path` is called like a graph; to be asked before the search."""
    if path.suffix != ".npz":
        raise InputError(f"{path.name}: a graph is written as .npz; choose such a name")


def read_graph(path: Path) -> KnnGraph:
    """Reads what `write_graph` wrote. InputError: no such file, not a graph, a neighbor that is no face."""
    try:
        with path.open("rb") as file:
            members = np.load(file, allow_pickle=False)
            graph = KnnGraph(members["neighbors"], members["similarities"])
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; make it with `personae knn`") from None
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a kNN graph; make one with `personae knn`") from error
    return graph
