"""The table of a paper: each method on each part of its data, beside what was published."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from personae.comparison import people_by
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.evaluation.report import Evaluation, evaluate
from personae.graph.knn_graph import KnnGraph
from personae.methods import LEARNED, METHODS
from personae.methods.estimator import GraphClusterer
from personae.methods.learned import identities_of
from personae.papers.parts import Part, parts_of
from personae.papers.published import DATA_SETS, IDENTITIES, DataSet, Published, Scores

Told = Callable[[str], Callable[[int, int], None]]


@dataclass(frozen=True)
class Line:
    """One method on one part.

    title:      of the published row; the name of the method where there is none
    method:     its name, or None where the published row is there to compare with
    part:       the name of the part
    faces:      in the part
    evaluation: every metric, or None without a run
    seconds:    of the method, the kNN graph aside unless it needs more neighbors than there are
    published:  pairwise F, BCubed F and NMI in percent, or None
    source:     of those
    refused:    why it did not run, or None
    """

    title: str
    method: str | None
    part: str
    faces: int
    evaluation: Evaluation | None
    seconds: float
    published: Scores | None
    source: str
    refused: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as dictionaries and numbers, ready for JSON."""
        return vars(self) | {"evaluation": self.evaluation.as_dict() if self.evaluation else None}


def refuse_unknown(data_set: str, methods: Sequence[str]) -> None:
    """InputError for a data set or a method that is not here."""
    if data_set not in DATA_SETS:
        raise InputError(f"no data set is called {data_set}; there are {', '.join(DATA_SETS)}")
    for name in methods:
        if name not in METHODS and name not in LEARNED:
            raise InputError(f"no method is called {name}; there are {', '.join([*METHODS, *LEARNED])}")


def benchmark(
    data_set: str,
    folder: Path,
    methods: Sequence[str] | None = None,
    *,
    preset: str = "paper",
    models: Path | None = None,
    told: Told | None = None,
) -> Iterator[Line]:
    """Learned methods are trained on the part to learn from; then each method clusters each other part.

    data_set: a name in `DATA_SETS`
    folder:   the published files; see `personae.papers.parts`
    methods:  names; None: those of the published table
    preset:   of the learned methods
    models:   where trained models are kept, and taken from where they are there
    told:     given the name of a method in training, the function that is called with steps done and in all

    InputError: an unknown name, files that are missing or damaged. MissingExtraError: torch.
    """
    refuse_unknown(data_set, methods or ())
    of = DATA_SETS[data_set]
    chosen = of.methods if methods is None else list(methods)
    learn, tests = parts_of(folder)
    trained = dict(_trained(data_set, chosen, learn, preset, models, told))
    for part in tests:
        faces = part.faces()
        graph = part.graph(faces, of.k)
        shown = {row.method for row in of.rows} - {None}
        rows = [row for row in of.rows if row.method is None or row.method in chosen]
        rows += [Published(name, name, "", {}) for name in chosen if name not in shown]
        for row in rows:
            scores = row.scores.get(part.number)
            if row.method is not None:
                method = trained.get(row.method) or _untrained(row, faces)
                yield _run(row, method, part, faces, graph, scores)
            elif scores is not None:
                yield Line(row.title, None, part.name, len(faces), None, 0.0, scores, row.source)


def _trained(
    data_set: str,
    chosen: Sequence[str],
    learn: Part | None,
    preset: str,
    models: Path | None,
    told: Told | None,
) -> Iterator[tuple[str, Any]]:
    """The learned ones among the chosen methods, from their files or from the part to learn from."""
    faces: FaceSet | None = None
    for name in chosen:
        if name not in LEARNED:
            continue
        file = None if models is None else models / f"{data_set}.{name}.{preset}.safetensors"
        if file is not None and file.is_file():
            yield name, LEARNED[name].read(file)
            continue
        if learn is None:
            raise InputError(
                f"{name} needs a part to learn from, such as features/part0_train.bin; put it there"
            )
        if faces is None:
            faces = learn.faces()
        method = LEARNED[name](preset=preset, **_settings(DATA_SETS[data_set], name))
        checkpoints = None if file is None else file.with_suffix("")
        method.fit(faces, folder=checkpoints, progress=told(name) if told else None)
        if file is not None:
            method.save(file)
        yield name, method


def _settings(of: DataSet, name: str) -> dict[str, Any]:
    return {"k": min(of.k - 1, LEARNED[name]().k), **of.learn.get(name, {})}  # papers count the face itself


def _untrained(row: Published, faces: FaceSet) -> Any:
    people = len(np.unique(identities_of(faces, None)))
    settings = {name: people if value == IDENTITIES else value for name, value in row.settings.items()}
    return METHODS[str(row.method)](**settings)


def _run(
    row: Published, method: Any, part: Part, faces: FaceSet, graph: KnnGraph, scores: Scores | None
) -> Line:
    began = time.perf_counter()
    refused = None
    try:
        if getattr(method, "k", None) == graph.k + 1 and isinstance(method, GraphClusterer):
            method.k -= not method.counts_itself  # papers count the face itself
        labels = people_by(method, FaceSet(faces.features), graph)
    except InputError as error:
        refused = str(error)
    seconds = round(time.perf_counter() - began, 3)
    found = evaluate(identities_of(faces, None), labels) if refused is None else None
    return Line(row.title, row.method, part.name, len(faces), found, seconds, scores, row.source, refused)
