"""Pictures of one moment count as one: the frames of a burst, a photo and its smaller or brighter copies.

They are far nearer to one another than other pictures of the same person. Were each counted, they would fill
the lists of neighbors, and one moment would look like a whole person beside whom the next one is a stranger.
"""

import math

from personae.data.constraints import Constraints
from personae.data.faceset import FaceSet
from personae.graph.copies import Copies
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.link.strangers import Sample, seen_from, settled

NEAR = 0.1  # of the distance to strangers, 1 - cosine


def moments_among(
    faces: FaceSet, graph: KnnGraph, sample: Sample, known: Constraints | None = None
) -> tuple[Copies | None, KnnGraph]:
    """The faces that stand for all of their moment, or None where each does, and the graph of these alone.

    sample: what each face is compared with
    known:  faces that would join two that a hard pair holds apart stand for themselves

    A face stands for those that are nearer to it than a tenth of the distance to strangers, as the sample sees
    them from the far side: where nearly all are one person, that is less. Searched again as long as lists are
    full of one moment.
    """
    cosine = 1 - NEAR * math.exp(distance_to_strangers(sample))
    moments: Copies | None = None
    while (found := Copies.near(graph, cosine, known)) is not None:
        moments = found if moments is None else moments.then(found)
        faces, known = found.faces(faces), None if known is None else found.constraints(known)
        graph = knn_graph(faces, graph.k)
    return moments, graph


def distance_to_strangers(sample: Sample) -> float:
    """log(1 - cosine) in the middle; that of no distance where there are too few to tell."""
    inside = sample.face >= 0
    others = sample.elsewhere_alone()
    near = len(others.face) > 0
    seen = seen_from(
        sample.features[inside], sample.face[inside], others if near else sample, "near" if near else "far"
    )
    return settled(seen).middle[0] if (seen[:, 1] > 0).any() else -math.inf
