"""What can go wrong, said in one line that names the thing and the mend.

The command line prints the message and leaves with `exit_code`; nobody sees a traceback for bad input.
"""

from numbers import Integral


class PersonaeError(Exception):
    """Anything personae refuses to do. The message is one line: what is wrong, what to do."""

    exit_code = 1


class InputError(PersonaeError, ValueError):
    """A file, a folder or an array that cannot be worked with."""

    exit_code = 3


class MissingExtraError(PersonaeError, ImportError):
    """The step needs an optional package; the message holds the pip command."""

    exit_code = 4


class OutputError(PersonaeError, OSError):
    """A result could not be written: no space, no permission, a folder in the way."""

    exit_code = 5


def refuse_no_cosine(tau: float) -> None:
    """InputError unless a threshold lies from -1 to 1; NaN does not."""
    if not -1 <= tau <= 1:
        raise InputError(f"tau is {tau}; it needs to be a cosine, from -1 to 1")


def refuse_no_count(name: str, value: int, least: int = 1) -> None:
    """InputError unless a parameter is a whole number from `least` on."""
    if not isinstance(value, Integral) or value < least:
        raise InputError(f"{name} is {value}; it needs to be a whole number, at least {least}")


def refuse_other_clusters(n_clusters: int | None, faces: int) -> None:
    """InputError unless so many clusters can be made of so many faces; None leaves the number open."""
    if n_clusters is not None and not (isinstance(n_clusters, Integral) and 1 <= n_clusters <= faces):
        raise InputError(f"{n_clusters:,} clusters are asked for; {faces:,} faces make 1 to {faces:,}")


def listed(rows: list[int] | list[str], most: int = 5) -> str:
    """The first few of many, for a message: '3, 17, 20 and 4 more'.

    >>> listed([3, 17, 20, 21], most=2)
    '3, 17 and 2 more'
    """
    shown = ", ".join(str(row) for row in rows[:most])
    return f"{shown} and {len(rows) - most:,} more" if len(rows) > most else shown


def counted(number: int, one: str, many: str | None = None) -> str:
    """The number with the word for so many.

    >>> counted(1, "lone face"), counted(1200, "person", "people")
    ('1 lone face', '1,200 people')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
