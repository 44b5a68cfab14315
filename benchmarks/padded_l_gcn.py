"""L-GCN in the plain form of its paper: padded to the largest subgraph, dense adjacency, every row in full."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def padded_probabilities(model: Any, faces: Any, graph: Any, pivots: Any, batch: int = 16) -> Any:
    """(P, k1) float32; nothing but the subgraphs themselves is shared with the fast path. Mean aggregation."""
    from personae.link.l_gcn import inputs
    from personae.link.pivot_subgraphs import PivotSubgraphs

    near = graph.neighbors[pivots, : model.config.shape.first]
    found = np.zeros(near.shape, np.float32)
    model.module.eval()
    for low in range(0, len(pivots), batch):
        part = slice(low, low + batch)
        subgraphs = PivotSubgraphs.of(graph, pivots[part], model.config.shape)
        sizes = np.diff(subgraphs.start)
        most = int(sizes.max())
        rows = inputs(model.config, faces, graph, subgraphs)
        x = torch.zeros(len(subgraphs), most, rows.shape[1])
        average = torch.zeros(len(subgraphs), most, most)
        for b, (start, size) in enumerate(zip(subgraphs.start, sizes, strict=False)):
            x[b, :size] = torch.from_numpy(rows[start : start + size])
            for row in range(size):
                ends = subgraphs.indptr[start + row], subgraphs.indptr[start + row + 1]
                average[b, row, subgraphs.others[slice(*ends)].astype(np.int64) - start] = 1
        average /= average.sum(dim=2, keepdim=True).clamp(min=1)
        with torch.inference_mode():
            logits = forward(model.module, x, average)
        for b, count in enumerate(subgraphs.candidates):
            said = torch.softmax(logits[b, :count], dim=1)[:, 1].numpy()
            found[low + b, near[low + b] >= 0] = said
    return found


def forward(module: Any, x: Tensor, average: Tensor) -> Tensor:
    """x: (B, n, width) with rows of padding, average: (B, n, n) is A; (B, n, 2)"""
    h = module.norm(x.flatten(0, 1)).view_as(x)
    for layer in module.layers:
        h = layer(h, torch.bmm(average, h))
    logits: Tensor = module.head(h.flatten(0, 1)).view(*h.shape[:2], 2)
    return logits
