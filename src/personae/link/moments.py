"""Pictures of one moment count as one: the frames of a burst, a photo and its smaller or brighter copies.

They are far nearer to one another than other pictures of the same person. Were each counted, they would fill
the lists of neighbors, and one moment would look like a whole person beside whom the next one is a stranger.
"""

import math

from personae.data.constraints import Constraints
from personae.graph.copies import Copies
from personae.graph.knn_graph import KnnGraph
from personae.graph.threads import products_alone
from personae.link.strangers import NEAREST, Sample, seen_from, settled

NEAR = 0.1  # of the distance to strangers, 1 - cosine
FEWEST = 0.01  # of all faces; fewer change next to nothing, and would have all lists searched again


def moments_among(graph: KnnGraph, sample: Sample, known: Constraints | None = None) -> Copies | None:
    """The faces that stand for all of their moment; None where each does, or nearly each.

    sample: what each face is compared with
    known:  faces that would join two that a hard pair holds apart stand for themselves

    A face stands for those that are nearer to it than a tenth of the distance to strangers, as the sample sees
    them from the far side: where nearly all are one person, that is less. Where lists end among pictures of one
    moment, more of them are found among the faces that are left.
    """
    found = Copies.near(graph, 1 - NEAR * math.exp(distance_to_strangers(sample)), known)
    return None if found is None or len(graph) - len(found.first) < FEWEST * len(graph) else found


def distance_to_strangers(sample: Sample) -> float:
    """log(1 - cosine) in the middle; that of no distance where there are too few to tell."""
    inside = sample.face >= 0
    others = sample.elsewhere_alone()
    near = len(others.face) > 0
    with products_alone():
        seen = seen_from(
            sample.features[inside], sample.face[inside], others if near else sample, "near" if near else "far"
        )
    return settled(seen).middle[0] if (seen[:, 1] > NEAREST).any() else -math.inf
