"""When a person is seen in each video, as a strip to look at."""

import os
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

import numpy as np

from personae.export.people import People, Person

CELLS = 200  # of a strip; what is nearer than one is drawn as one
MOST_VIDEOS = 6  # of one person, those that show them longest


@dataclass(frozen=True)
class Timeline:
    """One video and when a person is in it.

    video:  its path, relative to the folder
    link:   to the moment at which the person is first seen
    spans:  [first, last] seconds of each track, in the order of time
    length: seconds up to the last face of anybody
    """

    video: str
    link: str
    spans: list[tuple[float, float]]
    length: float

    @property
    def path(self) -> str:
        """The strip as an SVG path in a box of `CELLS` x 1."""
        seen = np.zeros(CELLS + 2, np.int8)  # one at each end that is never seen
        for span in self.spans:
            first, last = (min(int(seconds / self.length * CELLS), CELLS - 1) for seconds in span)
            seen[first + 1 : last + 2] = 1
        edges = np.flatnonzero(np.diff(seen))
        return "".join(f"M{a} 0h{b - a}v1h{a - b}z" for a, b in edges.reshape(-1, 2))

    @cached_property
    def words(self) -> str:
        """The same to read: "from 0:05 to 1:10, 3 times, 12 seconds in all"."""
        total = sum(last - first for first, last in self.spans)
        times = f"{len(self.spans):,} times, " if len(self.spans) > 1 else ""
        end = clock(max(last for _, last in self.spans))
        return f"from {clock(self.spans[0][0])} to {end}, {times}{total:,.0f} seconds in all"


def timelines(people: People, person: Person, links: str) -> list[Timeline]:
    """The videos that show a person, those that show them longest first.

    links: the start of a link to a file, as of `relative_folder`
    """
    spans: dict[int, list[tuple[float, float]]] = {}
    for row in person.faces.tolist():
        span = people.span(row)
        if span is not None:
            spans.setdefault(int(people.sources.file[row]), []).append(span)
    longest = sorted(spans, key=lambda file: -sum(last - first for first, last in spans[file]))
    return [
        Timeline(
            people.sources.files[file],
            f"{links}{quote(os.fsencode(people.sources.files[file]))}#t={min(spans[file])[0]:.1f}",
            sorted(spans[file]),
            people.seconds_of(file),
        )
        for file in longest[:MOST_VIDEOS]
    ]


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are some.

    >>> clock(5.9), clock(3725)
    ('0:05', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
