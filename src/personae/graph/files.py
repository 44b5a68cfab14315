"""A kNN graph as a file."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.errors import InputError
from personae.graph.knn_graph import NOBODY, KnnGraph, others_best_first

DAMAGED = (zipfile.BadZipFile, zlib.error)
DISTANCES = "data"  # the array of the literature's files
BLOCK = 1 << 16  # faces whose lists are put in order at a time, some 100 MB


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
    except (OSError, ValueError, KeyError, IndexError, EOFError, *DAMAGED) as error:
        raise InputError(f"{path}: not a kNN graph; make one with `personae knn`") from error
    return graph


def read_distances(path: Path) -> KnnGraph:
    """The graph of a file of the learned clustering literature, one array (N, 2, K): [:, 0] are numbers of
    faces; [:, 1] distances, 1 - cosine, with the face itself among them, or FaceMap's cosines, without it.

    K - 1 neighbors a face stay: itself is left out by its number, wherever it stands, and a face that is
    there twice counts once; -1 says that there is none. Distances are held to 0 to 2, cosines to -1 to 1.

    InputError: no such file, another array, a neighbor that is no face.
    """
    try:
        with path.open("rb") as file:
            members = np.load(file, allow_pickle=False)
            rows = members[DISTANCES if DISTANCES in members.files else members.files[0]]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; leave the graph out and it is searched") from None
    except (OSError, ValueError, AttributeError, IndexError, EOFError, *DAMAGED) as error:
        raise InputError(
            f"{path}: not a file of neighbors and distances; leave it out, or write it again"
        ) from error
    if rows.ndim != 3 or rows.shape[1] != 2 or rows.shape[2] < 1 or rows.dtype.kind not in "fi":
        raise InputError(
            f"{path}: holds an array {rows.shape} of {rows.dtype}; it needs to be numbers (N, 2, K), "
            "the neighbors and their distances"
        )
    n, _, K = rows.shape
    if not (rows[:, 0].min(initial=0) >= NOBODY and rows[:, 0].max(initial=0) < n):  # NaN as well
        raise InputError(f"{path}: has neighbors that are none of its {n:,} faces; it is of another set")
    cosines = _holds_cosines(rows)
    neighbors = np.empty((n, K - 1), dtype=np.int32)
    similarities = np.empty((n, K - 1), dtype=np.float32)
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        neighbors[block], similarities[block] = _nearest_others(rows[block], start, cosines)
    return KnnGraph(neighbors, similarities)


def _holds_cosines(rows: NDArray[Any]) -> bool:
    """Whether the values fall along most of the first lists, and no face is in its own."""
    some = rows[:BLOCK]
    first, last = some[:, 1, 0], some[:, 1, -1]
    itself = (some[:, 0] == np.arange(len(some))[:, None]).any()
    return bool(not itself and (first > last).sum() > (first < last).sum())


def _nearest_others(
    rows: NDArray[Any], start: int, cosines: bool
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The lists of the faces from number `start` on, best first, without themselves and without repetitions."""
    found = rows[:, 0].astype(np.int32)
    values = np.nan_to_num(rows[:, 1].astype(np.float32), nan=0.0 if cosines else 1.0)
    near = values.clip(-1, 1) if cosines else 1 - values.clip(0, 2)
    others, similarities = others_best_first(found, near, start)
    return others[:, :-1], similarities[:, :-1]
