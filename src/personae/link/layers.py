"""What several link models are built of."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional

TILE = 128  # rows


class Product:
    """x W + b for float32 rows on the CPU, by oneDNN where torch has it.

    BLAS takes some processors for older ones, and is half as fast there. oneDNN compiles a product for each
    number of rows, so rows are filled up to full tiles.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """weight: (width, out), bias: (out,)"""
        mkldnn: Any = torch.backends.mkldnn
        self.mkldnn = mkldnn.is_available()
        weight = weight.T.contiguous()
        self.weight, self.bias = (part.to_mkldnn() if self.mkldnn else part for part in (weight, bias))

    def __call__(self, x: Tensor) -> Tensor:
        """x: (M, width); (M, out)"""
        if not self.mkldnn:
            return functional.linear(x, self.weight, self.bias)
        whole = functional.pad(x, (0, 0, 0, -len(x) % TILE)).to_mkldnn()
        return functional.linear(whole, self.weight, self.bias).to_dense()[: len(x)]


class _Alone:
    lock = threading.Lock()
    users = 0
    threads = 1


@contextmanager
def products_in_one_thread() -> Iterator[None]:
    """One thread of torch's a product, for those who multiply in threads.

    Several may be inside at once. The number is of the thread that sets it and of those that begin later, so
    each who leaves sets what was there before the first of them came.
    """
    with _Alone.lock:
        threads = torch.get_num_threads()  # asked in each thread, or what it sets does not last
        if _Alone.users == 0:
            _Alone.threads = threads
        _Alone.users += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _Alone.lock:
            _Alone.users -= 1
            torch.set_num_threads(_Alone.threads)


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
