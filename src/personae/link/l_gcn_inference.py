"""L-GCN on whole collections: what the network says, with each face projected once and no padding.

The first layer sees W (x_q - x_p) = W x_q - W x_p, so its products are of faces and not of rows. Each later
layer [h || A h] W = h W_1 + A (h W_2) multiplies before it averages, which makes it one dense product over all
rows of a block; the last layer is needed for the candidates alone. The others have no rows to leave out: with u
of k2 or more, every face inside is linked to a candidate.
"""

from typing import Any

import numpy as np
import torch
from numba import njit, prange
from numpy.typing import NDArray
from torch import Tensor

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.link.l_gcn import Batch, PivotConfig, PivotNet, looked_at
from personae.link.layers import MeanLayer
from personae.link.links import Links
from personae.link.pivot_relations import relations
from personae.link.pivot_subgraphs import PivotSubgraphs

ROOM = 1 << 22  # values of the widest layer in one block
FACES = 1 << 15  # projected at a time


class PivotModel:
    """A pivot network and what it says of faces.

    config: what builds it
    module: the network
    """

    def __init__(self, config: PivotConfig) -> None:
        self.config = config
        self.module = PivotNet(config)

    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities on the first k1 neighbors, averaged over both directions where both are there."""
        graph = looked_at(self.config, graph)
        near = graph.nearest(self.config.shape.first)
        return Links.of(averaged(near.linked(self.probabilities(faces, graph))))

    def probabilities(
        self,
        faces: FaceSet,
        graph: KnnGraph,
        pivots: NDArray[np.integer[Any]] | None = None,
        *,
        block: int | None = None,
    ) -> NDArray[np.float32]:
        """(P, k1) float32 in [0, 1] for the neighbors of `pivots`, or of all faces; 0 where there is none.

        block: pivots at a time, each 12 bytes for each of its rows and each unit of the widest layer, 3 MB with
               512 units and 481 rows; so many by default as take 50 MB

        About 1.6 MFLOP a row with the published widths, 80 TFLOP for 100,000 faces of 481 rows each. With
        "residual" inputs the projected faces take 8 bytes for each face and unit of the first layer.
        """
        chosen = np.arange(len(graph)) if pivots is None else pivots
        shape = self.config.shape
        near = graph.neighbors[chosen, : shape.first]
        there = near != NOBODY
        found = np.zeros(near.shape, np.float32)
        step = block or max(1, ROOM // max(self.config.hidden) // (near.shape[1] * (shape.second + 1) + 1))
        with torch.inference_mode():
            says = (
                _Fast(self, faces, graph) if self.config.aggregation == "mean" else _Plain(self, faces, graph)
            )
            for low in range(0, len(chosen), step):
                part = slice(low, low + step)
                subgraphs = PivotSubgraphs.of(graph, chosen[part], shape)
                if len(subgraphs.others) or there[part].any():
                    logits = says(subgraphs)
                    found[part][there[part]] = torch.sigmoid(logits[:, 1] - logits[:, 0]).cpu().numpy()
        return found


class _Plain:
    """The network as it is written."""

    def __init__(self, model: PivotModel, faces: FaceSet, graph: KnnGraph) -> None:
        self.model, self.faces, self.graph = model, faces, graph
        self.device = str(next(model.module.parameters()).device)

    def __call__(self, subgraphs: PivotSubgraphs) -> Tensor:
        """(C, 2) float32"""
        batch = Batch.of(self.model.config, self.faces, self.graph, subgraphs).to(self.device)
        self.model.module.eval()
        logits: Tensor = self.model.module(batch).float()
        return logits


class _Fast:
    """The network with mean aggregation, rearranged."""

    def __init__(self, model: PivotModel, faces: FaceSet, graph: KnnGraph) -> None:
        self.config, self.faces, self.graph = model.config, faces, graph
        net: Any = model.module
        self.head = [part.detach().float().cpu() for part in net.head.parameters()]
        self.layers = [_split(layer) for layer in net.layers]
        # the norm, folded into the first layer: (x - mean) / deviation times W is x (W / deviation) - shift
        deviation = torch.sqrt(net.norm.running_var + net.norm.eps).float().cpu()
        weight, bias = self.layers[0]
        weight = weight / deviation[:, None]
        shift = net.norm.running_mean.float().cpu() @ weight
        self.layers[0] = (weight, bias)
        self.shift = shift.numpy()
        self.projected = np.empty((0, 0), np.float32)
        if self.config.inputs == "residual":
            self.projected = np.empty((len(faces), weight.shape[1]), np.float32)
            for low in range(0, len(faces), FACES):
                x = torch.from_numpy(faces.features[low : low + FACES].astype(np.float32))
                torch.mm(x, weight, out=torch.from_numpy(self.projected[low : low + FACES]))

    def __call__(self, subgraphs: PivotSubgraphs) -> Tensor:
        """(C, 2) float32"""
        *middle, (last, last_bias) = self.layers[1:]
        h = self._first(subgraphs)  # (M, hidden)
        for weight, bias in middle:
            products = torch.mm(torch.from_numpy(h), weight).numpy()  # (M, 2 out)
            h = _averaged_rows(products, bias.numpy(), subgraphs.indptr, subgraphs.others)  # (M, out)
        rows = subgraphs.candidate_rows()
        both = torch.from_numpy(_beside_average(h, rows, subgraphs.indptr, subgraphs.others))  # (C, 2 hidden)
        stacked = torch.cat(torch.chunk(last, 2, dim=1))  # (2 hidden, out)
        out = torch.relu(torch.addmm(last_bias, both, stacked))  # (C, out)
        one, one_bias, slope, two, two_bias = self.head
        out = torch.prelu(torch.addmm(one_bias, out, one.T), slope)
        return torch.addmm(two_bias, out, two.T)

    def _first(self, subgraphs: PivotSubgraphs) -> NDArray[np.float32]:
        weight, bias = self.layers[0]
        if self.config.inputs == "relations":
            x = torch.from_numpy(relations(self.faces, self.graph, subgraphs))
            products = (torch.mm(x, weight) - torch.from_numpy(self.shift)).numpy()
            return np.asarray(_averaged_rows(products, bias.numpy(), subgraphs.indptr, subgraphs.others))
        return np.asarray(
            _averaged_differences(
                self.projected,
                self.shift,
                bias.numpy(),
                (subgraphs.pivots, subgraphs.start, subgraphs.faces),
                (subgraphs.indptr, subgraphs.others),
            )
        )


def _split(layer: MeanLayer) -> tuple[Tensor, Tensor]:
    """(width, 2 out), the weights of the row beside those of the average; and the bias."""
    weight = layer.linear.weight.detach().float().cpu()
    own, average = weight.chunk(2, dim=1)
    return torch.cat([own, average]).T.contiguous(), layer.linear.bias.detach().float().cpu()


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _averaged_differences(
    projected: NDArray[np.float32],
    shift: NDArray[np.float32],
    bias: NDArray[np.float32],
    subgraphs: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]],
    links: tuple[NDArray[np.int64], NDArray[np.int32]],
) -> Any:
    """The first layer on residuals: (M, out)."""
    pivots, start, faces = subgraphs
    indptr, others = links
    out = len(bias)
    h = np.empty((len(faces), out), np.float32)
    for b in prange(len(pivots)):
        pivot = projected[pivots[b]] + shift
        own = bias - pivot[:out]
        linked = own - pivot[out:]
        for m in range(start[b], start[b + 1]):
            degree = indptr[m + 1] - indptr[m]
            row = h[m]
            row[:] = 0
            for link in range(indptr[m], indptr[m + 1]):
                other = projected[faces[others[link]]]
                for unit in range(out):
                    row[unit] += other[out + unit]
            share = np.float32(1.0 / max(degree, 1))
            base = linked if degree > 0 else own
            face = projected[faces[m]]
            for unit in range(out):
                row[unit] = max(row[unit] * share + face[unit] + base[unit], np.float32(0))
    return h


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _averaged_rows(
    products: NDArray[np.float32],
    bias: NDArray[np.float32],
    indptr: NDArray[np.int64],
    others: NDArray[np.int32],
) -> Any:
    """A layer after its product: (M, out)."""
    out = len(bias)
    h = np.empty((len(products), out), np.float32)
    for m in prange(len(products)):
        row = h[m]
        row[:] = 0
        for link in range(indptr[m], indptr[m + 1]):
            other = products[others[link]]
            for unit in range(out):
                row[unit] += other[out + unit]
        share = np.float32(1.0 / max(indptr[m + 1] - indptr[m], 1))
        own = products[m]
        for unit in range(out):
            row[unit] = max(row[unit] * share + own[unit] + bias[unit], np.float32(0))
    return h


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _beside_average(
    h: NDArray[np.float32], rows: NDArray[np.int64], indptr: NDArray[np.int64], others: NDArray[np.int32]
) -> Any:
    """[h || A h] of some rows."""
    width = h.shape[1]
    both = np.zeros((len(rows), 2 * width), np.float32)
    for place in prange(len(rows)):
        m = rows[place]
        row = both[place]
        row[:width] = h[m]
        for link in range(indptr[m], indptr[m + 1]):
            other = h[others[link]]
            for unit in range(width):
                row[width + unit] += other[unit]
        row[width:] *= np.float32(1.0 / max(indptr[m + 1] - indptr[m], 1))
    return both


def averaged(graph: KnnGraph) -> KnnGraph:
    """The same links with the mean of both directions' weights where both faces list each other. O(N k^2)."""
    return graph.linked(_averaged(graph.neighbors, graph.similarities.astype(np.float32, copy=False)))


@njit(parallel=True, cache=True)
def _averaged(neighbors: NDArray[np.int32], weights: NDArray[np.floating[Any]]) -> Any:
    n, k = neighbors.shape
    mean = np.zeros((n, k), np.float32)
    for face in prange(n):
        for rank in range(k):
            other = neighbors[face, rank]
            if other == NOBODY:
                continue
            mean[face, rank] = weights[face, rank]
            for back in range(k):
                if neighbors[other, back] == face:
                    mean[face, rank] = (weights[face, rank] + weights[other, back]) / 2
                    break
    return mean
