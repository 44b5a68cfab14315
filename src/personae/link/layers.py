"""What several link models are built of."""

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional


class MeanLayer(nn.Module):
    """ReLU([F || A~ F] W + b): each face beside the average of its neighbors; Xavier weights, zero bias."""

    def __init__(self, width: int, out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * width, out)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.dropout = dropout

    def forward(self, x: Tensor, average: Tensor) -> Tensor:
        """x, average: (..., width), the faces and A~ times the faces; (..., out)"""
        h = functional.relu(self.linear(torch.cat([x, average], dim=-1)))
        return functional.dropout(h, self.dropout, self.training)


def sparse(matrix: csr_array, device: Any = "cpu") -> Tensor:
    """The same matrix, whose columns rise in each row, as a sparse tensor."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    places = torch.from_numpy(np.stack([rows, matrix.indices.astype(np.int64)])).to(device)
    values = torch.from_numpy(matrix.data).to(device)
    return torch.sparse_coo_tensor(places, values, matrix.shape, is_coalesced=True, check_invariants=False)


def pooled(rows: Tensor, sizes: Tensor, how: str) -> Tensor:
    """(P, h), the "max", "mean", "sum" or "min" of rows (M, h) over runs of these sizes, (P,) int64."""
    return torch.segment_reduce(rows, how, lengths=sizes, axis=0)
