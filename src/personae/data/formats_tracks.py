"""Who each track of a film is, as the label files of Ball Cluster Learning tell it.

A first line `CVHCI_TRACKLABELS_V1`, then a line a track: its number, a space, and the name of the person, such
as `7 sheldon`. Tracks without a line have no known person.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import InputError

HEAD = "CVHCI_TRACKLABELS_V1"


def read_track_labels(path: Path) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The numbers of the tracks, (T,) int64, and their people, (T,) str, in the order of the file.

    InputError: another kind of file, a line that is no number with a name, a track twice.
    """
    lines = path.read_bytes().decode("utf-8-sig", "surrogateescape").splitlines()
    if not lines or lines[0].strip() != HEAD:
        raise InputError(f"does not begin with {HEAD}; it holds no labels of tracks")
    tracks, people = [], []
    for number, line in enumerate(lines[1:], start=2):
        track, _, person = line.strip().partition(" ")
        if not (track.isdecimal() and person):
            raise InputError(f"line {number}: {line[:40]!r} is no number of a track with a name")
        tracks.append(int(track))
        people.append(person)
    found = np.array(tracks, np.int64)
    if len(np.unique(found)) < len(found):
        raise InputError("names a track twice; remove one of the two lines")
    return found, np.array(people, np.str_)
