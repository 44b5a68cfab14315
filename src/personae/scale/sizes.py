"""Sizes as people write them: 20G."""

import math
import re

from personae.errors import InputError

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def bytes_of(text: str) -> int:
    """Bytes of a number with K, M, G or T behind it. InputError: anything else.

    >>> bytes_of("1.5G") == 3 << 29
    True
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise InputError(f"{text!r} is no size; write it like 500M or 20G")
    return int(float(match[1]) * UNITS[match[2].upper()])


def shown(size: int, *, up: bool = False) -> str:
    """A size to read; `up`, rounded so that it is not less.

    >>> shown(3 << 29), shown(700 << 20), shown((3 << 29) + 1, up=True)
    ('1.5G', '700M', '1.6G')
    """
    unit = "G" if size >= UNITS["G"] else "M"
    tenth = UNITS[unit] / (10 if unit == "G" else 1)
    count = math.ceil(size / tenth) if up else round(size / tenth)
    return f"{count / 10:.1f}G" if unit == "G" else f"{count}M"
