"""What faces are called: which face is which, in whatever order they come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.data.labels import as_labels
from personae.data.names import ID_NAMES, LOOSE_NAMES, id_name, in_face_order, plain
from personae.data.pages import passing
from personae.errors import InputError, counted, listed

BLOCK = 1 << 16
ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads the letters of an id over 64 bits


@dataclass(frozen=True)
class Ids:
    """An id a face, no two the same; made by `Ids.of`, which checks them.

    values: (N,) int64 or str; a memory map when large
    name:   of the column or the array that holds them in a file
    """

    values: NDArray[Any]
    name: str = ID_NAMES[0]

    @classmethod
    def of(cls, values: ArrayLike, name: str = ID_NAMES[0]) -> "Ids":
        """Checks ids of any origin.

        values: (N,) integers or names
        name:   one of `ID_NAMES`

        InputError: another name, missing ids, fractions, an id twice.

        >>> Ids.of(["b7", "a1"]).values
        array(['b7', 'a1'], dtype='<U2')
        """
        if id_name([name]) is None:
            raise InputError(f"ids are not found again under {name!r}; call them one of {', '.join(ID_NAMES)}")
        try:
            checked = as_labels(values)
        except InputError as error:
            raise InputError(f"{name}, the ids of the faces: {error}") from error
        checked = checked.astype(checked.dtype.newbyteorder("="), copy=False)
        refuse_twice(checked, name)
        return cls(checked, name.strip())

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> "Ids":
        """The ids of these faces."""
        return Ids(self.values[rows], self.name)

    def joined(self, more: "Ids") -> "Ids":
        """These ids and more behind them. InputError: another name, or an id that is there already.

        >>> Ids.of([7, 8]).joined(Ids.of(["b1"])).values
        array(['7', '8', 'b1'], dtype='<U21')
        """
        if more.name != self.name:
            raise InputError(f"new faces have ids in {more.name}, those before in {self.name}; use one name")
        again = more.rows_in(self) >= 0
        if again.any():
            raise InputError(f"{more.take(again).some} are there already; leave them out, or remove them first")
        parts = [self.values, more.values]
        if len({part.dtype.kind for part in parts}) > 1:
            parts = [part.astype(np.str_) for part in parts]
        return Ids(np.concatenate(parts), self.name)

    @property
    def some(self) -> str:
        """How many, and one of them."""
        return f"{counted(len(self), 'face')}, such as {self.name} {self.values[0].item()!r},"

    def rows_in(self, other: "Ids") -> NDArray[np.int64]:
        """(N,) the row of each of these ids among the others, -1 where it is not there. O(N log N).

        Numbers are compared with names as they are written: 7 is "7" but not "007".

        >>> Ids.of([7, 8, 9]).rows_in(Ids.of(["9", "07", "7"]))
        array([ 2, -1,  0])
        """
        own, others = self.values, other.values
        if own.dtype.kind != others.dtype.kind:
            own, others = own.astype(np.str_), others.astype(np.str_)
        keys, among = keys_of(own), keys_of(others)
        sort = np.argsort(among, kind="stable")
        at = np.searchsorted(among[sort], keys)
        rows = sort[np.minimum(at, len(sort) - 1)]
        same_key = among[rows] == keys
        rows[~same_key] = -1
        if own.dtype.kind == "U":
            other_id = np.concatenate(
                [own[here] != others[rows[here]] for here in passing(len(own), BLOCK, own, others)]
            )
            for row in np.flatnonzero(same_key & other_id):  # two ids with one key
                alike = np.flatnonzero(among == keys[row])
                found = alike[others[alike] == own[row]]
                rows[row] = found[0] if len(found) else -1
        return rows


def rows_by_id(faces: Ids, told: Ids, files: tuple[object, object], mend: str | None) -> NDArray[np.int64]:
    """(N,) the row of each face among those of whom another file tells, -1 where it does not.

    files: what both are called in a message
    mend:  what to do about faces of whom the other does not tell; None if they may be there

    InputError: those, faces of whom only the other tells, or none in common.
    """
    rows = faces.rows_in(told)
    there = rows >= 0
    if not there.any():
        first = f"{faces.values[0].item()!r} and {told.values[0].item()!r}"
        raise InputError(
            f"no {faces.name} of {files[0]} is among the ids in {files[1]}, which begin with {first}; "
            "give the same faces, or remove the ids of one to go by their order"
        )
    if mend is not None and not there.all():
        lacking = faces.take(~there)
        raise InputError(f"{files[1]} lacks {lacking.some} of the {len(faces):,} in {files[0]}; {mend}")
    if len(told) > there.sum():
        others = np.ones(len(told), dtype=np.bool_)
        others[rows[there]] = False
        lacking = told.take(others)
        raise InputError(f"{files[0]} lacks {lacking.some} of the {len(told):,} in {files[1]}; remove them")
    return rows


class Labelled(NamedTuple):
    """The labels of a file, and what its faces are called if it tells and somebody asked.

    labels: (N,) int64 or str
    aside:  why a column or an array that is merely called ids or id holds none, or None
    column: what the column or the array of the labels is called, or None
    embeddings: whether the file holds embeddings, too
    """

    labels: NDArray[Any]
    ids: Ids | None = None
    aside: str | None = None
    column: str | None = None
    embeddings: bool = False

    def ordered(self, face: NDArray[Any] | None) -> "Labelled":
        """The same in the order of the numbers of the faces, if there are any; see `in_face_order`."""
        rows = in_face_order(face, len(self.labels))
        if rows is None:
            return self
        return self._replace(labels=self.labels[rows], ids=self.ids and self.ids.take(rows))


def ids_told(read: Callable[[], ArrayLike], name: str, faces: int) -> tuple[Ids | None, str | None]:
    """The ids of so many faces; or None, and why, where a name that says little holds something else.

    read: the values, as `Ids.of` takes them

    InputError: a name that is of faces alone, such as face_id, holds no ids, or not one a face.
    """
    try:
        ids = Ids.of(read(), name)
        if len(ids) != faces:
            raise InputError(f"{faces:,} faces but {len(ids):,} ids in {name}; give one id a face")
    except InputError as error:
        if plain(name) not in LOOSE_NAMES:
            raise
        return None, str(error)
    return ids, None


def refuse_twice(values: NDArray[Any], name: str) -> None:
    """InputError telling an id that two faces have."""
    keys = keys_of(values)
    ordered = np.sort(keys)
    again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(again):
        return
    rows = np.flatnonzero(np.isin(keys, again))
    ids, counts = np.unique(values[rows], return_counts=True)
    twice = ids[counts > 1]
    if len(twice):
        said = f"{twice[0].item()!r} in rows {listed(rows[values[rows] == twice[0]].tolist())}"
        raise InputError(
            f"{name} has {counted(len(twice), 'id')} more than once, such as {said}; "
            "give each face its own; who a face is stands in identity, anything else under another name"
        )


def keys_of(values: NDArray[Any]) -> NDArray[Any]:
    """(N,) a 64-bit number an id, equal for equal ids; hardly ever for others."""
    if values.dtype.kind == "i":
        return values
    keys = np.zeros(len(values), np.uint64)
    letters = np.ascontiguousarray(values).view(np.uint32).reshape(len(values), -1)
    for here in passing(len(values), BLOCK, values):
        key = keys[here]
        for letter in letters[here].T:
            key[:] = np.where(letter, (key ^ letter) * ODD, key)
    return keys


def in_blocks(values: NDArray[Any]) -> Iterator[list[Any]]:
    """The ids as Python's own numbers and names, some at a time."""
    for here in passing(len(values), BLOCK, values):
        yield values[here].tolist()
