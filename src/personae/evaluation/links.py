"""Link curves: does the similarity, or a link model's probability, tell one person from two?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import InputError, refuse_no_count
from personae.evaluation.neighbors import is_link, same_identity
from personae.graph.knn_graph import KnnGraph


@dataclass(frozen=True)
class LinkCurve:
    """How well the values of the links rank those within an identity above those between two.

    links:             how many were scored
    positives:         how many of them lie within an identity
    auc:               area under the ROC curve, chance of a link within above one between, ties count half
    average_precision: mean over links within of the precision at their value
    tpr_at_fpr_1e3:    largest share of links within that is kept with at most 1e-3 of those between
    tpr_at_fpr_1e2:    the same with at most 1e-2
    """

    links: int
    positives: int
    auc: float
    average_precision: float
    tpr_at_fpr_1e3: float
    tpr_at_fpr_1e2: float


@dataclass(frozen=True)
class LinkPoints:
    """The ROC and the precision-recall curve: the links kept from each threshold on, strictest first.

    threshold: (P,) falling, values of links, no two the same
    fpr:       (P,) share of the links between two identities that are kept
    tpr:       (P,) share of the links within an identity that are kept, which is the recall
    precision: (P,) share of those kept that lie within an identity
    """

    threshold: NDArray[np.floating[Any]]
    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    precision: NDArray[np.float64]


def link_curve(graph: KnnGraph, truth: ArrayLike, *, deduplicate: bool = False) -> LinkCurve:
    """ROC and precision-recall figures of the values in `graph.similarities`, over the links of the kNN graph.

    Only pairs that the search proposed are judged, so the figures depend on k: pairs it missed are nobody's
    error, and the easy negatives far away are not counted.

    truth:       (N,) identities, integers or names
    deduplicate: False counts the directed links, so a mutual pair counts twice; True counts each pair once,
                 with the larger value if its two directions differ

    InputError: not one identity a face, NaN values, or no link of one of the two kinds. O(L log L) for L links,
    about 35 bytes each, 70 to deduplicate.

    >>> graph = KnnGraph(np.array([[1], [0], [0]], np.int32), np.array([[0.9], [0.9], [0.4]], np.float32))
    >>> link_curve(graph, ["Ada", "Ada", "Bo"]).auc
    1.0
    """
    positive, negative = _of_both_kinds(graph, truth, deduplicate)
    below = np.searchsorted(negative, positive, side="left")  # negatives under each positive
    wins = int(below.sum()) + int(np.searchsorted(negative, positive, side="right").sum())  # twice, ties once
    # links kept when the threshold is the value of each positive, by kind
    true = len(positive) - np.searchsorted(positive, positive, side="left")
    false = len(negative) - below
    return LinkCurve(
        links=len(positive) + len(negative),
        positives=len(positive),
        auc=wins / (2 * len(positive) * len(negative)),
        average_precision=float(np.mean(true / (true + false))),
        tpr_at_fpr_1e3=_tpr(positive, negative, len(negative) // 1000),
        tpr_at_fpr_1e2=_tpr(positive, negative, len(negative) // 100),
    )


def link_points(
    graph: KnnGraph, truth: ArrayLike, *, deduplicate: bool = False, points: int = 200
) -> LinkPoints:
    """The curves that `link_curve` tells the areas of, at as many thresholds.

    points: at least 2; where there are more values they are spread evenly over these, the ends among them

    InputError: as of `link_curve`, and points below 2.

    >>> graph = KnnGraph(np.array([[1], [0], [0]], np.int32), np.array([[0.9], [0.9], [0.4]], np.float32))
    >>> link_points(graph, ["Ada", "Ada", "Bo"]).fpr
    array([0., 1.])
    """
    refuse_no_count("points", points, 2)
    positive, negative = _of_both_kinds(graph, truth, deduplicate)
    values = np.unique(np.concatenate([positive, negative]))[::-1]
    if len(values) > points:
        values = values[np.linspace(0, len(values) - 1, points).round().astype(np.intp)]
    true = len(positive) - np.searchsorted(positive, values)
    false = len(negative) - np.searchsorted(negative, values)
    return LinkPoints(values, false / len(negative), true / len(positive), true / (true + false))


def _of_both_kinds(
    graph: KnnGraph, truth: ArrayLike, deduplicate: bool
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """The values of the links within an identity and of those between two, both rising."""
    same, kept = same_identity(graph, truth), is_link(graph)
    value, within = (_pairs if deduplicate else _links)(graph, kept, same)
    if np.isnan(value).any():
        raise InputError("link values hold NaN; mend the link model, or cut those links first")
    positive, negative = np.sort(value[within]), np.sort(value[~within])
    if len(positive) == 0 or len(negative) == 0:
        kind = "within an identity" if len(positive) == 0 else "between identities"
        raise InputError(f"the graph has no link {kind}; a curve needs both kinds, so raise k or add faces")
    return positive, negative


def _tpr(positive: NDArray[np.floating[Any]], negative: NDArray[np.floating[Any]], allowed: int) -> float:
    """Share of positives above the first negative that is one too many; both ascending, allowed < negatives."""
    bar = negative[len(negative) - 1 - allowed]
    return 1 - int(np.searchsorted(positive, bar, side="right")) / len(positive)


def _links(
    graph: KnnGraph, kept: NDArray[np.bool_], same: NDArray[np.bool_]
) -> tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]:
    """(L,) values and whether within an identity, of the directed links."""
    value = graph.similarities[kept]
    return value.astype(np.float32) if value.dtype == np.float16 else value, same[kept]


def _pairs(
    graph: KnnGraph, kept: NDArray[np.bool_], same: NDArray[np.bool_]
) -> tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]:
    """(L,) the larger value of each linked pair, and whether it is within an identity."""
    value, within = _links(graph, kept, same)
    face, rank = np.nonzero(kept)
    other = graph.neighbors[face, rank]
    pair = np.minimum(face, other) * len(graph) + np.maximum(face, other)
    order = np.argsort(pair)
    first = np.flatnonzero(np.diff(pair[order], prepend=-1))
    if len(first) == 0:
        return value, within
    return np.maximum.reduceat(value[order], first), within[order[first]]
