"""The truth and the labels of two files, face by face."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.data.formats import StrPath, read_labelled
from personae.data.ids import Labelled, rows_by_id
from personae.data.labels import NOBODY, spread
from personae.data.names import FOUND_NAMES, IDENTITY_NAMES, TRUTH_COLUMNS, TRUTH_KEYS, Choice, plain
from personae.errors import InputError, counted, listed

MEND = "tell who they are, or leave them out by --ignore-unknown"


def read_truth_and_labels(
    truth: StrPath,
    labels: StrPath,
    *,
    ignore_unknown: bool = False,
    by_order: Callable[[str], None] | None = None,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """(N,) the truth and (N,) the labels, each as `read_labels` gives them, a face in the same row of both.

    ignore_unknown: whether the truth may be missing: empty, or of a face whose id only the labels have; it is
                    -1 then, and metrics leave it out where they are asked to
    by_order:       called with a line that says why, where only one of the files has ids

    Faces are found by their ids, in any order, where both files have them, else by their place. Of a table of
    both identities and clusters each is read for what it is.

    InputError: as `read_labels`; an id twice, faces that only one of the files has, files that are exchanged.
    """
    known = read_labelled(truth, Choice((*TRUTH_KEYS, *TRUTH_COLUMNS), gaps=True, ids=True))
    found = read_labelled(labels, Choice(FOUND_NAMES, ids=True))
    refuse_exchanged(truth, known, labels, found)
    if not ignore_unknown:
        refuse_unknown(known.labels, truth)
    if known.ids is None or found.ids is None:
        if by_order is not None and (why := _unmatched({truth: known, labels: found})):
            by_order(f"faces are matched by their order: {why}")
        return known.labels, found.labels
    rows = rows_by_id(found.ids, known.ids, (labels, truth), None if ignore_unknown else MEND)
    there = rows >= 0
    return spread(known.labels[rows[there]], there), found.labels


def refuse_unknown(truth: NDArray[Any], file: StrPath) -> None:
    """InputError telling the faces of whom a file does not say who they are."""
    unknown = np.flatnonzero(truth == (NOBODY if truth.dtype.kind == "i" else str(NOBODY))).tolist()
    if unknown:
        raise InputError(
            f"{file} knows no identity of {counted(len(unknown), 'face')} ({listed(unknown)}); {MEND}"
        )


def refuse_exchanged(truth: StrPath, known: Labelled, labels: StrPath, found: Labelled) -> None:
    """InputError where a file says by its columns that it is the other one, or holds no clusters at all."""
    if _called(known, FOUND_NAMES) and _called(found, IDENTITY_NAMES):
        raise InputError(
            f"{truth} holds clusters ({known.column}) and {labels} identities ({found.column}); "
            "give the truth first, then the labels"
        )
    if found.embeddings and found.column is not None and not _called(found, FOUND_NAMES):
        raise InputError(
            f"{labels} holds embeddings and who they are ({found.column}), but no clusters; give the labels "
            "that were found, or call them cluster"
        )


def _called(read: Labelled, names: Sequence[str]) -> bool:
    return read.column is not None and plain(read.column) in names


def _unmatched(files: dict[StrPath, Labelled]) -> str:
    """Why ids that one of the files has find no faces in the other; empty if there are none at all."""
    aside = [f"{file}: {read.aside}" for file, read in files.items() if read.aside is not None]
    lacking = [f"{file} holds no ids" for file, read in files.items() if read.ids is None]
    return aside[0] if aside else lacking[0] if len(lacking) == 1 else ""
