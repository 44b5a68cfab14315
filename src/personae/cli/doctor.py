"""`personae doctor`: what this machine offers, and whether everything works on it."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import typer

from personae import __version__
from personae.errors import PersonaeError

CORE = ("numpy", "scipy", "numba", "scikit-learn", "onnxruntime", "pillow")
EXTRAS = {
    "parquet": "pyarrow",
    "heif": "pillow_heif",
    "video": "av",
    "plots": "matplotlib",
    "learn": "torch",
    "ray": "ray",
}
SELF_TEST_SECONDS = 5.0


def doctor() -> None:
    """What this machine offers, and a self-test.

    Versions, the linear algebra in use, threads and memory; the test takes five seconds.
    """
    for heading, rows in (("versions", _versions), ("machine", _machine), ("self-test", _self_test)):
        typer.echo(heading)
        for name, value in rows():
            typer.echo(f"  {name:<18} {value}")


def _versions() -> Iterator[tuple[str, str]]:
    yield "personae", __version__
    yield "python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"
    for package in CORE:
        yield package, importlib.metadata.version(package)
    for extra, module in EXTRAS.items():
        there = find_spec(module) is not None
        yield f"[{extra}]", "installed" if there else f"missing: pip install 'personae[{extra}]'"


def _machine() -> Iterator[tuple[str, str]]:
    import numba
    import numpy as np
    from threadpoolctl import threadpool_info

    from personae.embed.album import cores

    np.ones((2, 2)) @ np.ones((2, 2))
    yield "cores", f"{cores()} for this process, {os.cpu_count()} in the machine"
    yield "numba threads", str(numba.get_num_threads())
    for pool in threadpool_info():
        kernel = pool.get("architecture")
        detail = f"{pool.get('version')}, {pool['num_threads']} threads" + (
            f", kernel {kernel}" if kernel else ""
        )
        yield pool["internal_api"], detail
    if "OPENBLAS_CORETYPE" in os.environ:
        forced = os.environ["OPENBLAS_CORETYPE"]
        yield "", f"OPENBLAS_CORETYPE={forced} forces that kernel; unset it if the self-test is slow"
    yield "memory", memory()


def memory() -> str:
    """Total and free memory in words."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
    except (AttributeError, ValueError, OSError):
        return "unknown on this system"
    return f"{total / 2**30:.1f} GiB, {free / 2**30:.1f} GiB free"


def _self_test() -> Iterator[tuple[str, str]]:
    import numpy as np

    from personae.data import SyntheticIdentities, synthetic_faces
    from personae.embed import sface
    from personae.evaluation import bcubed
    from personae.graph import knn_graph
    from personae.methods import Auto

    a = np.random.default_rng(0).normal(size=(2048, 2048)).astype(np.float32)
    yield "matrix product", f"{2 * 2048**3 / _best_time(lambda: a @ a) / 1e9:.0f} GFLOP/s in float32"
    faces = synthetic_faces(SyntheticIdentities(faces=3000))
    knn_graph(faces.take(np.arange(100)))  # compiles
    began = time.perf_counter()
    graph = knn_graph(faces)
    took = time.perf_counter() - began
    yield "kNN graph", f"{2 * len(faces) ** 2 * faces.dimension / took / 1e9:.0f} GFLOP/s with the selection"
    labels = Auto().fit(faces, graph=graph).labels_
    score = 0.0 if faces.truth is None else bcubed(faces.truth, labels).f
    yield "3,000 made faces", f"BCubed F {score:.3f}"
    model = sface()
    crop = np.zeros((112, 112, 3), dtype=np.uint8)
    yield "embedder", f"{1 / _best_time(lambda: model.embed(crop)):.0f} faces a second on one core"
    if score < 0.5:
        raise PersonaeError("the self-test found the wrong people; reinstall the packages above")


def _best_time(work: Callable[[], object]) -> float:
    """Seconds of the quickest of several runs within the time of the self-test."""
    best, until = float("inf"), time.perf_counter() + SELF_TEST_SECONDS / 4
    while time.perf_counter() < until:
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best
