"""Networks with planted groups, and what another program finds in them."""

import numpy as np
import pytest
from scipy.sparse import csr_array, triu

from personae.graph import first_seen


def communities(n, size, seed):
    """Groups of about `size` with links to strangers."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, n // size, n)
    same = group[:, None] == group[None, :]
    linked = rng.random((n, n)) < np.where(same, 0.5, 0.01)
    upper = np.triu(linked * rng.uniform(0.2, 1, (n, n)), 1)
    return csr_array(upper + upper.T)


def one_way(n, size, seed):
    """Groups of about `size`, with links that lead one way only, and some faces that link to nobody."""
    kept = np.random.default_rng(seed).random((n, n)) < 0.6
    return csr_array(communities(n, size, seed).toarray() * kept)


def of_networkit(adjacency):
    networkit = pytest.importorskip("networkit")
    edges = triu(adjacency, k=1).tocoo()
    triplets = (edges.data.astype(float), (edges.row.astype(np.uint64), edges.col.astype(np.uint64)))
    network = networkit.GraphFromCoo(triplets, n=adjacency.shape[0], weighted=True)
    networkit.setSeed(1, False)
    search = networkit.community.LouvainMapEquation(network, True, parallelizationStrategy="none")
    return first_seen(np.array(search.run().getPartition().getVector()))
