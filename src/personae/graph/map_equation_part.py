"""The map equation of some modules while all others stay as they are.

Where the others are frozen, only two things of theirs enter the description: how often the walk is there, and
how often it leaves them. Both can be had from two nodes that stand for all of them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from personae.data.constraints import Constraints
from personae.graph.components import first_seen
from personae.graph.map_equation import map_equation_labels


class Rest(NamedTuple):
    """The modules that stay, of a graph of symmetric links.

    strength: the weights of the links of all their faces, added up
    leaving:  of those that leave a module
    """

    strength: float
    leaving: float


def part_labels(
    inside: csr_array,
    outwards: NDArray[np.float64],
    rest: Rest,
    start: NDArray[np.integer],
    order: NDArray[np.integer],
    constraints: Constraints | None = None,
) -> NDArray[np.int32]:
    """(S,) int32, modules of S faces that shorten the description of the whole graph, the rest being frozen.

    inside:      (S, S) symmetric weights of their links
    outwards:    (S,) weights of the links of each to faces of the rest
    start:       (S,) the modules they are in; a face may leave its own, and none joins one of the rest
    order:       (S,) in which they are visited
    constraints: between the S faces; groups and hard pairs alone
    """
    whole, apart = stand_ins(inside, outwards, rest)
    n = len(outwards)
    modules = first_seen(start)
    held = Constraints.of(n) if constraints is None else constraints
    groups = int(held.group.max(initial=-1)) + 1
    found = map_equation_labels(
        whole,
        order=np.r_[order, n, n + 1],
        start=np.r_[modules, len(modules), len(modules) + 1],
        together=np.r_[held.group, groups, groups + 1],
        apart=np.concatenate([apart, held.hard]),
    )
    return first_seen(found[:n])


def stand_ins(
    inside: csr_array, outwards: NDArray[np.float64], rest: Rest
) -> tuple[csr_array, NDArray[np.int64]]:
    """(S + 2, S + 2) the links with two nodes for the rest, and the pairs (P, 2) that must stay apart.

    One is linked to the faces that have links outwards and to itself, both are linked to each other, so that
    they are visited and left as often as the rest is. Codelengths of partitions of the S faces differ as they
    do in the whole graph.
    """
    n = len(outwards)
    at_border = np.flatnonzero(outwards > 0)
    crossing = float(outwards.sum())
    between = max(0.0, (rest.leaving - crossing) / 2)
    staying = max(0.0, rest.strength - crossing - 2 * between)
    links = inside.tocoo()
    one, other = np.full(len(at_border), n), n + 1
    rows = np.r_[links.row, at_border, one, n, other, n]
    columns = np.r_[links.col, one, at_border, other, n, n]
    weights = np.r_[links.data, outwards[at_border], outwards[at_border], between, between, staying]
    whole = coo_array((weights, (rows, columns)), shape=(n + 2, n + 2)).tocsr()
    apart = np.column_stack([np.r_[at_border, n], np.r_[one, other]]).astype(np.int64)
    return whole, apart
