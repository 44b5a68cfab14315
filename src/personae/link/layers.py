"""What several link models are built of."""

from typing import Any

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
    """The same matrix as a sparse CSR tensor."""
    parts = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    indptr, indices, data = (part.to(device) for part in parts)
    return torch.sparse_csr_tensor(indptr, indices, data, matrix.shape)
