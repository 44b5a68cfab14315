"""What the stages need to know of a method."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.graph.copies import Copies
from personae.graph.knn_graph import KnnGraph
from personae.scale.memory import Memory
from personae.scale.shards import Features
from personae.scale.stages import Desk

TOLD_UP_TO = 1_000_000  # faces; the expectation takes two more partitions
WANTS_MEMORY = "unknown, for want of memory"  # told of the expectation, which may be asked for again

Known = tuple[Constraints, Callable[[Constraints], "Recipe"]] | None


class Recipe(NamedTuple):
    """A method in two steps, with a folder between them.

    k:             neighbors a face
    look:          writes what the links follow from to its folder, and tells of it in numbers
    people:        (N,) int32 by what `look` wrote
    of_look:       what the first depends on, JSON
    of_people:     what the second depends on besides
    look_memory:   bytes that `look` holds at most
    people_memory: and `people`
    look_disk:     bytes a face of d values that `look` has on disk besides, beside the features
    known:         the constraints, and the recipe under others; None where there are none
    moments:       the faces that stand for their moment, if those are looked at alone
    expected:      what is to be expected of the labels, the last argument, without any that are true; in words
    """

    k: int
    look: Callable[[Features, Desk], dict[str, Any]]
    people: Callable[[Features, Desk], NDArray[np.int32]]
    of_look: Mapping[str, Any]
    of_people: Mapping[str, Any]
    look_memory: Memory
    people_memory: Memory
    look_disk: Callable[[int], int] = lambda _: 0
    known: Known = None
    moments: Callable[[FaceSet, KnnGraph], Copies | None] | None = None
    expected: Callable[[Features, Desk, NDArray[np.int32]], str] | None = None
