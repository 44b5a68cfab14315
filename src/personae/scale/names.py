"""Ids of people that stay when people are found again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def kept_names(
    names: NDArray[np.integer[Any]], found: NDArray[np.integer[Any]], given: int
) -> tuple[NDArray[np.int32], int]:
    """(N,) int32, the people `found` under the names they had; and how many names there are then.

    names: (N,) what the faces were called before, -1 for new faces
    found: (N,) the people now, 0..C-1
    given: names given so far, all below this; new people get the next ones in the order of their numbers

    Of all pairs of a name and a person the one with the most faces in common is settled first, of equals that
    of the smaller name; each name goes to one person, and each person has one.

    >>> kept_names(np.array([5, 5, 5, 2, -1]), np.array([0, 1, 1, 1, 2]), 6)
    (array([6, 5, 5, 5, 7], dtype=int32), 8)
    """
    people = int(found.max()) + 1
    known = names >= 0
    keys, count = np.unique(names[known].astype(np.int64) * people + found[known], return_counts=True)
    name, person = np.divmod(keys, people)
    called = np.full(people, -1, np.int32)
    sure = (np.bincount(name)[name] == 1) & (np.bincount(person)[person] == 1)
    called[person[sure]] = name[sure]
    name, person, count = name[~sure], person[~sure], count[~sure]
    gone = set()
    for at in np.lexsort((person, name, -count)):
        if called[person[at]] < 0 and name[at] not in gone:
            called[person[at]] = name[at]
            gone.add(name[at])
    nameless = np.flatnonzero(called < 0)
    called[nameless] = given + np.arange(len(nameless))
    return called[found], given + len(nameless)
