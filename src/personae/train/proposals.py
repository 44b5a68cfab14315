"""What proposals are worth, and more of them to learn from."""

import numpy as np
from numpy.typing import NDArray

from personae.graph.knn_graph import KnnGraph
from personae.link.proposals import Proposals


def overlaps(proposals: Proposals, truth: NDArray[np.int32]) -> NDArray[np.float32]:
    """(P, 2) float32, IoU and IoP of each proposal with all faces of the person that most of its faces are.

    truth: (N,) int32 from 0; of people with equally many faces in the proposal the first counts
    """
    people = int(truth.max()) + 1
    cell, common = np.unique(proposals.proposal_of * people + truth[proposals.faces], return_counts=True)
    proposal, person = np.divmod(cell, people)
    order = np.lexsort((person, -common, proposal))
    best = order[np.unique(proposal[order], return_index=True)[1]]
    both, sizes = common[best], proposals.sizes
    union = sizes + np.bincount(truth)[person[best]] - both
    return np.stack([both / union, both / sizes], axis=1).astype(np.float32)


def disturbed(proposals: Proposals, graph: KnnGraph, rng: np.random.Generator) -> Proposals:
    """As many more: half of them have lost some faces, half are two whose faces are neighbors.

    Those that no face is left of are dropped.
    """
    count = len(proposals)
    torn = rng.random(count) < 0.5
    lost = rng.random(count) * 0.8
    owner = proposals.proposal_of
    kept = ~torn[owner] | (rng.random(len(owner)) >= lost[owner])
    joined = np.flatnonzero(~torn)
    start = proposals.offsets[joined] + (rng.random(len(joined)) * proposals.sizes[joined]).astype(np.int64)
    ranks = rng.geometric(0.2, len(joined)).clip(max=graph.k) - 1
    beside = graph.neighbors[proposals.faces[start], ranks]
    order = np.argsort(proposals.faces, kind="stable")
    held = np.bincount(proposals.faces, minlength=len(graph))
    first = np.cumsum(held) - held
    met = (beside >= 0) & (held[beside] > 0)
    joined, beside = joined[met], beside[met]
    pick = first[beside] + (rng.random(len(joined)) * held[beside]).astype(np.int64)
    other = proposals.take(owner[order[pick]])
    members = np.concatenate([proposals.faces[kept], other.faces]).astype(np.int64)
    numbers = np.concatenate([owner[kept], joined[other.proposal_of]])
    number, face = np.divmod(np.unique(numbers * len(graph) + members), len(graph))
    names, number = np.unique(number, return_inverse=True)
    return Proposals.packed(number, face, len(names))
