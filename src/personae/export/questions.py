"""What the page asks somebody who knows the people."""

from collections import defaultdict
from dataclasses import dataclass

from personae.export.people import People, Person

SUREST = 99  # percent that an estimate can be
MOST, FACES = 30, 4  # questions, and strays of one person, at once; the next ones come when these are answered


@dataclass(frozen=True)
class Question:
    """Whether two people, or a person and some faces, are one person.

    persons: the person, and the other one if it is not about faces
    faces:   rows of the faces: strays of the person, or a lone one
    percent: how likely it is that they are
    wrong:   how likely the grouping has it wrong
    """

    persons: tuple[Person, ...]
    faces: tuple[int, ...]
    percent: int
    wrong: float


def questions(people: People) -> tuple[list[Question], list[Question]]:
    """What to look at first, and of which lone faces it can be told whose they may be; likeliest first."""
    suggested = people.suggested
    if suggested is None:
        return [], []
    of = {int(people.labels[person.faces[0]]): person for person in people.persons}
    lone = {int(people.labels[row]): row for row in people.lone.tolist()}
    first: list[Question] = []
    about_lone: dict[int, Question] = {}
    for (a, b), share in zip(suggested.pairs.tolist(), suggested.one.tolist(), strict=True):
        if a in of and b in of:
            both = sorted((of[a], of[b]), key=lambda person: person.number)
            first.append(Question(tuple(both), (), percent(share), share))
        elif of.keys() & {a, b} and lone.keys() & {a, b}:
            row, person = (lone[a], of[b]) if a in lone else (lone[b], of[a])
            about_lone.setdefault(row, Question((person,), (row,), percent(share), share))
    strays: dict[int, list[int]] = defaultdict(list)
    surest: dict[int, float] = {}
    for row, share in zip(suggested.strays.tolist(), suggested.elsewhere.tolist(), strict=True):
        label = int(people.labels[row])
        if label in of:
            strays[label].append(row)
            surest.setdefault(label, share)
    for label, rows in strays.items():
        person, wrong = of[label], surest[label]
        some = tuple(rows[: min(FACES, len(person.faces) - 1)])  # beside a face of theirs
        first.append(Question((person,), some, percent(1 - wrong), wrong))
    first.sort(key=lambda question: -question.wrong)
    return first[:MOST], list(about_lone.values())[:MOST]


def percent(share: float) -> int:
    """A whole number, never so sure that it cannot be wrong."""
    return min(max(round(100 * share), 100 - SUREST), SUREST)
