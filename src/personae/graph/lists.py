"""How long the lists are that two faces are compared by."""

from personae.errors import InputError
from personae.graph.knn_graph import KnnGraph

SHARE = 10  # the lists of small collections hold one in so many faces,
LEAST = 10  # but so many at least
REACH = 50  # of link models that learn, which see a hundredth of a collection where they learn


def itself_counted(graph: KnnGraph, k: int) -> KnnGraph:
    """Lists of `k` faces of which the first, left out here as everywhere, is the face itself: k - 1 ranks.

    InputError: k is below 1.
    """
    if k < 1:
        raise InputError(f"a list holds {k} faces; it needs to be at least 1, the face itself")
    return graph.nearest(k - 1)


def a_tenth_of(faces: int) -> int:
    """How long lists of so many faces are at most: a tenth of the faces, 10 at least.

    Lists that hold most of a collection are alike for all faces, and tell nobody apart. A choice of this
    project: the papers look at large collections only, and nothing changes where N is 10 k or more.
    """
    return max(LEAST, faces // SHARE)


def in_reach(graph: KnnGraph) -> KnnGraph:
    """Lists of a fiftieth of the faces, 10 at least, where they are longer: what learned link models look at.

    Where lists reach over half of a collection, the last faces of a list are far away and make the first ones
    look close, and all lists have most faces in common.
    """
    return graph.nearest(max(LEAST, len(graph) // REACH))
