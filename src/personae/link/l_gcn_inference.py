"""L-GCN's probabilities, block by block."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.pivot_subgraphs import PivotSubgraphs


def probabilities(config: Any, module: Any, faces: FaceSet, graph: KnnGraph, pivots: Any) -> NDArray[np.float32]:
    from personae.link.l_gcn import BLOCK, Batch
    near = graph.neighbors[pivots, : config.shape.first]
    out = np.zeros(near.shape, np.float32)
    module.eval()
    with torch.inference_mode():
        for i in range(0, len(pivots), BLOCK):
            sub = PivotSubgraphs.of(graph, pivots[i : i + BLOCK], config.shape)
            b = Batch.of(config, faces, graph, sub)
            p = torch.softmax(module(b).float(), 1)[:, 1].numpy()
            out[i : i + BLOCK][near[i : i + BLOCK] != NOBODY] = p
    return out
