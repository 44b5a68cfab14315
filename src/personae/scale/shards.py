"""Where the shards of a stage are worked on: one after the other here, or as tasks on Ray.

A shard reads files and writes files of its own, whole or not at all, so it may be begun again anywhere; what it
returns is small. Neither its result nor the files depend on where it was.
"""

import hashlib
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

from personae.data.atomic import atomic_write
from personae.data.faceset import BLOCK
from personae.data.pages import READ, passing
from personae.errors import InputError, MissingExtraError, OutputError
from personae.graph.threads import Span, read_rows
from personae.scale.sizes import shown

ROWS = 1 << 14  # faces in a shard that is a run of faces
PROGRAM = 430 << 20  # bytes of Python and the libraries
BASE = 600 << 20  # and of a shard
LOCAL = "local"
COPY = "features-"  # of features, in the folder to work in
AHEAD = 2000  # tasks that Ray is told of at a time
TRIES = 10  # of a shard whose worker or node is lost
PATIENCE = 5.0  # seconds until an address counts as out of reach

Features = NDArray[np.floating[Any]] | Path  # a file is mapped anew by every shard
S = TypeVar("S")


class Workplace(Protocol):
    """Where shards are worked on.

    apart: whether shards run in other processes, so that all they read needs to be in files
    """

    apart: bool

    def run(self, work: Callable[[S], Any], shards: Sequence[S], memory: int) -> Iterator[tuple[S, Any]]:
        """Each shard and what `work` returned for it, as they are done; `memory`: bytes that one holds."""
        ...


class Here:
    """One shard after the other, each with all threads of this process."""

    apart = False

    def run(self, work: Callable[[S], Any], shards: Sequence[S], memory: int) -> Iterator[tuple[S, Any]]:
        for shard in shards:
            yield shard, work(shard)


HERE = Here()


class OnRay:
    """Each shard is a task of one core on a Ray cluster; one whose worker or node is lost is begun again.

    address: HOST:PORT of the head of a cluster that this machine is a node of, or "local" for one of its own
             that ends with the program

    MissingExtraError: ray is not installed. InputError: nobody answers at the address.
    """

    apart = True

    def __init__(self, address: str) -> None:
        if find_spec("ray") is None:
            raise MissingExtraError("--ray needs ray; pip install 'personae[ray]'")
        if address != LOCAL:
            _refuse_silence(address)
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
        import ray  # noqa: PLC0415  (an extra)

        self.ray: Any = ray
        there = {"include_dashboard": False} if address == LOCAL else {"address": address}
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True, **there)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise InputError(
                f"no Ray cluster of this Python and Ray can be joined at {address}, "
                "or this machine is no node of it; start one by `ray start`"
            ) from error

    def run(self, work: Callable[[S], Any], shards: Sequence[S], memory: int) -> Iterator[tuple[S, Any]]:
        """InputError: no node has the memory that a shard holds."""
        if not shards:
            return
        most = max(int(node["Resources"].get("memory", 0)) for node in self.ray.nodes() if node["Alive"])
        if memory > most:
            raise InputError(
                f"a shard needs {shown(memory, up=True)} of memory, no Ray node has more than {shown(most)}; "
                "start larger ones"
            )
        task = self.ray.remote(_alone).options(num_cpus=1, memory=memory, max_retries=TRIES)
        left, waiting = iter(shards), dict[Any, S]()
        try:
            while True:
                waiting |= {task.remote(work, shard): shard for shard in islice(left, AHEAD - len(waiting))}
                if not waiting:
                    break
                ready, _ = self.ray.wait(list(waiting), num_returns=1)
                found = self._result(ready[0])
                yield waiting.pop(ready[0]), found
        finally:
            for of_shard in waiting:  # after an error nobody waits for the others
                self.ray.cancel(of_shard)

    def _result(self, of_shard: Any) -> Any:
        try:
            return self.ray.get(of_shard)
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self.ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"Ray lost a shard for good: {reason}; the same command goes on where it stopped"
            ) from error


def runs(count: int, size: int) -> list[Span]:
    """The first and the end of runs of `size`, the last one shorter."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]


def rows_of(features: Features, faces: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """(B, d) float32 of the faces asked for."""
    rows = np.empty((len(faces), opened(features).shape[1]), np.float32)
    read_rows(opened(features), faces, rows)
    return rows


def opened(features: Features) -> NDArray[np.floating[Any]]:
    """The features, or the map of their file."""
    if isinstance(features, Path):
        mapped: NDArray[np.floating[Any]] = np.load(features, mmap_mode="r")
        return mapped
    return features


def as_file(features: NDArray[np.floating[Any]]) -> Features:
    """The `.npy` that these features are a map of, or the features where they are none."""
    if isinstance(features, np.memmap) and features.filename is not None:
        file = Path(features.filename)
        if file.suffix == ".npy" and features.shape == np.load(file, mmap_mode="r").shape:
            return file.absolute()
    return features


def within_reach(
    features: NDArray[np.floating[Any]], workdir: Path, rows: NDArray[np.integer[Any]] | None = None
) -> Path:
    """A file of the features that other processes can map: that which they are a map of, or a copy.

    rows: those alone; the copy, which is called by what is in it, stays until another one is made

    OutputError: no room for a copy.
    """
    file = as_file(features)
    if isinstance(file, Path) and rows is None:
        return file
    total = hashlib.blake2b(checksum(features).encode(), digest_size=8)
    if rows is not None:
        total.update(rows.tobytes())
    copy = workdir.absolute() / f"{COPY}{total.hexdigest()}.npy"
    if copy.is_file():
        return copy
    for other in workdir.glob(f"{COPY}*.npy"):
        other.unlink()
    count = len(features) if rows is None else len(rows)
    refuse_more_than_room(count * features.shape[1] * features.itemsize, workdir)
    about = {
        "descr": dtype_to_descr(features.dtype),
        "fortran_order": False,
        "shape": (count, features.shape[1]),
    }
    with atomic_write(copy) as temporary, temporary.open("wb") as opened_file:
        write_array_header_1_0(opened_file, about)
        for here in passing(count, READ, features):
            opened_file.write(np.ascontiguousarray(features[here if rows is None else rows[here]]).data)
    return copy


def refuse_more_than_room(needed: int, workdir: Path) -> None:
    """OutputError if the disk has less room than so many bytes."""
    free = shutil.disk_usage(workdir).free
    if needed > free:
        raise OutputError(
            f"{workdir} has {shown(free)} of room and {shown(needed)} more are needed; "
            "make room or choose another --workdir"
        )


def checksum(features: NDArray[np.floating[Any]]) -> str:
    """Of all the features."""
    total = hashlib.blake2b(f"{features.shape} {features.dtype}".encode(), digest_size=16)
    for here in passing(len(features), BLOCK, features):
        total.update(np.ascontiguousarray(features[here]).tobytes())
    return total.hexdigest()


def _alone(work: Callable[[S], Any], shard: S) -> Any:
    """In a task: one core, one thread."""
    import numba  # noqa: PLC0415  (in the worker)

    numba.set_num_threads(1)
    return work(shard)


def _refuse_silence(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError, OverflowError):
        raise InputError(
            f"no Ray cluster answers at {address!r}; give HOST:PORT of its head, or {LOCAL} for one of its own"
        ) from None
