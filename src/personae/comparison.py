"""Methods side by side on one set of faces: quality, time and memory of each."""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.agglomeration import MOST
from personae.data.atomic import atomic_write
from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.evaluation.contingency import contingency
from personae.evaluation.report import Evaluation, evaluate
from personae.graph.files import read_graph, write_graph
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.methods import C1C, DDC, FINCH, HAC, LEARNED, METHODS, Auto
from personae.methods.estimator import GraphClusterer
from personae.methods.learned import LearnedClusterer

THRESHOLDS = ("tau", "t", "theta")
OTHER_TAUS = {
    "ddc": 1 - np.geomspace(0.005, 0.4, 25),  # cosines of sphere centers, close together with some embedders
    "density_peaks": np.linspace(0.02, 0.9, 25),  # overlaps
    "pahc": np.linspace(-0.5, 1, 25),  # margins
}  # to try of methods whose tau is no similarity of two faces
QUANTILES = np.linspace(0.02, 0.98, 33)  # of the graph's similarities, as thresholds to try with the labels
FEATURES, GRAPH = "features.npy", "graph.npz"
NEIGHBORS = 80  # at least, of the graph that all share
Score = Callable[[NDArray[np.int32]], Evaluation]  # of the people found


@dataclass(frozen=True)
class Compared:
    """One method on one set.

    method:     its name, as `compare` was given it
    parameters: those that differ from the method's own
    oracle:     whether they were chosen with the labels, which no user has
    evaluation: every metric, or None where the method refused
    seconds:    of the method, the kNN graph aside unless it needs more neighbors than there are; PAHC and
                Spectral search lists of their own in that time
    peak_mib:   the most memory its process held, beyond features and graph
    refused:    why it did not run, or None
    labels:     (N,) int32 the people found, or None; not in `as_dict`
    """

    method: str
    parameters: dict[str, Any]
    oracle: bool
    evaluation: Evaluation | None
    seconds: float
    peak_mib: int
    refused: str | None
    labels: NDArray[np.int32] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as dictionaries and numbers, ready for JSON."""
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "labels"}
        return {**plain, "evaluation": self.evaluation.as_dict() if self.evaluation else None}


def compare(  # noqa: PLR0913  (the last three are seldom given)
    faces: FaceSet,
    truth: ArrayLike,
    methods: Sequence[str] = tuple(METHODS),
    *,
    oracle: bool = False,
    tried: Mapping[str, Sequence[dict[str, Any]]] | None = None,
    k: int | None = None,
    ignore_unknown: bool = False,
) -> Iterator[Compared]:
    """Each method as it comes, and with `oracle` also at the threshold that is best with the labels.

    truth:   (N,) identities, as of `contingency`
    methods: names in `METHODS`; learned methods with their model, a file that `save` wrote or the name of one
             that comes along, as in "star_fc:sface" or "l_gcn:mine.safetensors"
    oracle:  whether to try other thresholds where a method has one; the best mean of pairwise and BCubed F
    tried:   with `oracle`, the parameters to try of these methods in place of those thresholds
    k:       neighbors a face, of every method that looks at a number of them and was not trained with
             another; None: each its own
    ignore_unknown: whether faces without a truth, which are clustered with the others, are left out of the
             scores; otherwise they are refused

    Every method has a process of its own, so that its memory is its own. Yields one result after the other.

    InputError: an unknown method, no model of it, labels that don't match, before anything runs.
    MissingExtraError: a learned method without torch.
    """
    for name in methods:
        made(name)
    if np.shape(truth) != (len(faces),):
        raise InputError(f"{len(faces):,} faces but {len(np.asarray(truth)):,} labels; give one label a face")
    contingency(truth, np.zeros(len(faces)), ignore_unknown=ignore_unknown)  # says what is wrong with the truth
    graph = knn_graph(faces, _most_neighbors(methods, tried or {}) if k is None else k)
    score = partial(evaluate, np.asarray(truth), ignore_unknown=ignore_unknown)
    with tempfile.TemporaryDirectory() as folder:
        with atomic_write(Path(folder) / FEATURES) as temporary, temporary.open("wb") as file:
            np.save(file, faces.features)
        write_graph(graph, Path(folder) / GRAPH)
        for name in methods:
            method = made(name)
            others = (tried or {}).get(name, _thresholds(name, method, graph)) if oracle else ()
            own = k is None or isinstance(method, LearnedClusterer) or "k" not in method.get_params()
            length = {} if own else {"k": k}
            parameters = [length, *(length | other for other in others)]
            yield from _run(Path(folder), name, parameters, score)


def made(called: str) -> Any:
    """The method of a name as `compare` takes it; its errors."""
    name, trained, model = called.partition(":")
    if name in METHODS and not trained:
        return METHODS[name]()
    if name not in LEARNED:
        raise InputError(f"no method is called {called}; there are {', '.join([*METHODS, *LEARNED])}")
    if not model:
        raise InputError(
            f"{name} has to be trained; give its model, as {name}:sface or {name}:FILE.safetensors"
        )
    return LEARNED[name].named(model)


def _most_neighbors(methods: Sequence[str], tried: Mapping[str, Sequence[dict[str, Any]]]) -> int:
    """That any of the methods looks at, as it comes or as it is tried."""
    asked = [made(name).get_params() for name in methods]
    asked += [parameters for name in methods for parameters in tried.get(name, ())]
    return max(NEIGHBORS, *(int(parameters.get("k") or 0) for parameters in asked))


def _thresholds(called: str, method: Any, graph: KnnGraph) -> list[dict[str, float]]:
    """Values to try of the first of `THRESHOLDS` that the method has: its own, and those of `OTHER_TAUS`,
    multiples of it or, for cosines, quantiles of those in the graph.
    """
    parameters = method.get_params()
    name = next((name for name in THRESHOLDS if name in parameters), None)
    if name is None or isinstance(method, LearnedClusterer):
        return []
    own = float(parameters[name])
    if called in OTHER_TAUS:
        values = {own, *(round(float(value), 4) for value in OTHER_TAUS[called])}
    elif name == "tau":
        sample = graph.similarities[:, : min(graph.k, 20)]
        values = {own, *(round(float(value), 4) for value in np.quantile(sample, QUANTILES))}
    else:
        values = {own, *(round(own * float(scale), 4) for scale in np.geomspace(0.1, 4, 20))}
    return [{name: value} for value in sorted(values)]


def _run(folder: Path, name: str, tried: Sequence[dict[str, Any]], score: Score) -> Iterator[Compared]:
    """The method with the first parameters and, if there are others to try, with the best of these."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as process:
        for oracle, some in ((False, tried[:1]), (True, tried[1:])):
            if not some:
                return
            try:
                found = process.submit(_best, folder, name, some, score).result()
            except (BrokenProcessPool, MemoryError):
                told = "it ran out of memory, or was killed"
                found = Compared(name, {} if oracle else some[0], oracle, None, 0.0, 0, told)
            yield replace(found, oracle=oracle)
            if found.refused is not None:
                return


def _best(folder: Path, name: str, tried: Sequence[dict[str, Any]], score: Score) -> Compared:
    """The result with those of the parameters that score best, in the process of the method."""
    faces, graph = FaceSet(np.load(folder / FEATURES)), read_graph(folder / GRAPH)
    with suppress(InputError):  # which is told below
        people_by(made(name), faces.take(np.arange(len(faces))[:60]), None)  # compiled before the clock runs

    def run(parameters: dict[str, Any]) -> Compared:
        method = made(name).set_params(**parameters)
        _forget_peak()
        before = _peak_mib()
        began = time.perf_counter()
        try:
            labels = people_by(method, faces, graph)
        except InputError as error:
            return Compared(name, parameters, False, None, 0.0, 0, str(error))
        seconds = round(time.perf_counter() - began, 3)
        return Compared(name, parameters, False, score(labels), seconds, _peak_mib() - before, None, labels)

    return max(map(run, tried), key=_worth)


def _worth(result: Compared) -> float:
    return result.evaluation.pairwise.f + result.evaluation.bcubed.f if result.evaluation else 0.0


def people_by(method: Any, faces: FaceSet, graph: KnnGraph | None) -> NDArray[np.int32]:
    """(N,) int32 of a method that is trained, or learns nothing; `graph` is taken where it holds enough."""
    if isinstance(method, LearnedClusterer):
        return method.predict(faces, graph=graph if graph is not None and method.k <= graph.k else None)
    labels: NDArray[np.int32] = (method.fit(faces) if graph is None else fit(method, faces, graph)).labels_
    return labels


def fit(method: Any, faces: FaceSet, graph: KnnGraph) -> Any:
    """Fits an unlearned method, with a graph that is there already where that holds enough; the method.

    HAC finds on the graph other people than on all pairs, and is given the faces where it would look at those.
    """
    if isinstance(method, HAC) and len(faces) <= MOST:
        return method.fit(faces)
    if isinstance(method, Auto | C1C | DDC | FINCH):
        return method.fit(faces, graph=graph if method.k <= graph.k else None)
    if isinstance(method, GraphClusterer):
        length = method.list_length(len(faces))
        if length - method.counts_itself <= graph.k:
            return method.fit(graph.nearest(length))
    return method.fit(faces)


def _forget_peak() -> None:
    """Makes the memory held now the most held so far, where the system can do that: on Linux."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> int:
    """The most memory this process has held so far; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    with suppress(OSError):  # on Linux
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) >> 10
    import resource  # noqa: PLC0415  (not on Windows)

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (
        1 << 20 if sys.platform == "darwin" else 1 << 10
    )
