"""The files that the learned clustering literature shares, part by part.

DIR/features/PART.bin, float32 rows; DIR/labels/PART.meta, an integer a line; DIR/knns/PART/faiss_k_K.npz, the
kNN graph, which may be missing: distances with the face itself or cosines without. Arrays, .npy, are taken for
the first two as well.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from personae.data.faceset import FaceSet
from personae.data.formats import read_faces
from personae.errors import InputError
from personae.graph.files import read_distances
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph

FEATURES, LABELS, GRAPHS = "features", "labels", "knns"
FACES, TRUTH = (".bin", ".npy"), (".meta", ".npy")
LEARNED_FROM = ("train", "casia")  # in the name of the part that is learned from


@dataclass(frozen=True)
class Part:
    """One part of a data set.

    name:   such as part1_test
    folder: that holds features, labels and knns
    """

    name: str
    folder: Path

    @property
    def number(self) -> str:
        """The first number in the name, "" without one: what tables call the part."""
        return next(iter(re.findall(r"\d+", self.name)), "")

    def faces(self) -> FaceSet:
        """With their identities. InputError: no labels, and as of `read_faces`."""
        labels = next(
            (path for suffix in TRUTH if (path := self.folder / LABELS / (self.name + suffix)).is_file()), None
        )
        if labels is None:
            raise InputError(
                f"{self.folder / LABELS / self.name}.meta: no such file; put the labels of the part there"
            )
        return read_faces(file_of(self.folder, self.name), labels=labels)

    def graph(self, faces: FaceSet, k: int) -> KnnGraph:
        """The k - 1 nearest of each face, papers count itself: of the file with the fewest that are enough;
        searched where there is none.

        InputError: a file of another set, and as of `read_distances`.
        """
        files = {
            int(told[1]): path
            for path in sorted((self.folder / GRAPHS / self.name).glob("*.npz"))
            if (told := re.search(r"k_?(\d+)$", path.stem))
        }
        enough = [length for length in sorted(files) if length >= k]
        if not enough:
            return knn_graph(faces, k - 1)
        path = files[enough[0]]
        graph = read_distances(path)
        if len(graph) != len(faces):
            raise InputError(
                f"{path}: is of {len(graph):,} faces and the part has {len(faces):,}; take it away"
            )
        if not graph.is_of(faces.features):
            raise InputError(f"{path}: its similarities are not those of the features; take it away")
        return graph.nearest(k - 1)


def parts_of(folder: Path) -> tuple[Part | None, list[Part]]:
    """The part to learn from, if it is there, and those to be tested on, by number.

    InputError: no such folder, several parts to learn from, none to be tested on.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the one that holds {FEATURES} and {LABELS}")
    there = (folder / FEATURES).glob("*") if (folder / FEATURES).is_dir() else ()
    names = sorted({path.stem for path in there if path.suffix in FACES})
    learn = [name for name in names if any(word in name.lower() for word in LEARNED_FROM)]
    tests = [Part(name, folder) for name in names if name not in learn]
    if len(learn) > 1:
        raise InputError(
            f"{folder / FEATURES}: holds {' and '.join(learn)} to learn from; leave one of them there"
        )
    if not tests:
        raise InputError(
            f"{folder / FEATURES}: holds no part to be tested on; "
            "put the published files there, such as part1_test.bin"
        )
    tests.sort(key=lambda part: (int(part.number or 0), part.name))
    return (Part(learn[0], folder) if learn else None), tests


def file_of(folder: Path, name: str) -> Path:
    """The features of a part."""
    return next(path for suffix in FACES if (path := folder / FEATURES / (name + suffix)).is_file())
