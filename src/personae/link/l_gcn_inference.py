"""L-GCN on whole collections: what the network says, with each face projected once and no padding.

The first layer sees W (x_q - x_p) = W x_q - W x_p, so its products are of faces and not of rows. Each later
layer [h || A h] W = h W_1 + A (h W_2) multiplies before it averages, which makes it one dense product over all
rows of a block; the last layer is needed for the candidates alone. The others have no rows to leave out: with u
of k2 or more, every face inside is linked to a candidate. Each thread takes blocks of a few pivots from the
first layer to the last, so that their rows stay in its cache.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import NOBODY, KnnGraph
from personae.graph.threads import Span, in_threads, spans
from personae.link.l_gcn import Batch, PivotConfig, PivotNet, looked_at
from personae.link.layers import MeanLayer, Product, products_in_one_thread
from personae.link.links import Links
from personae.link.pivot_relations import relations
from personae.link.pivot_subgraphs import PivotSubgraphs

ROOM = 1 << 21  # values of the widest layer in one block
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

        block: pivots that a thread takes at a time, each 20 bytes for each of its rows and each unit of the
               widest layer, 5 MB with 512 units and 481 rows; so many by default as take 42 MB

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

        @torch.inference_mode()
        def judge(low: int) -> None:
            part = slice(low, low + step)
            subgraphs = PivotSubgraphs.of(graph, chosen[part], shape)
            if len(subgraphs.others) or there[part].any():
                logits = says(subgraphs)
                found[part][there[part]] = torch.sigmoid(logits[:, 1] - logits[:, 0]).cpu().numpy()

        with products_in_one_thread():
            in_threads(judge, range(0, len(chosen), step))
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
        first, *middle, last = (_split(layer) for layer in net.layers)
        one, one_bias, self.slope, two, two_bias = (
            part.detach().float().cpu() for part in net.head.parameters()
        )
        self.middle = [(Product(weight, torch.zeros(weight.shape[1])), bias.numpy()) for weight, bias in middle]
        weight, bias = last
        self.last = Product(torch.cat(weight.chunk(2, dim=1)), bias)  # of [h || A h]
        self.head = Product(one.T, one_bias), Product(two.T, two_bias)
        # the norm, folded into the first layer: (x - mean) / deviation times W is x (W / deviation) - shift
        deviation = torch.sqrt(net.norm.running_var + net.norm.eps).float().cpu()
        weight, bias = first
        weight = weight / deviation[:, None]
        shift = net.norm.running_mean.float().cpu() @ weight
        self.first = Product(weight, -shift)
        self.bias, self.shift = bias.numpy(), shift.numpy()
        self.projected = np.empty((0, 0), np.float32)
        if self.config.inputs == "residual":
            self.projected = np.empty((len(faces), weight.shape[1]), np.float32)
            for low in range(0, len(faces), FACES):
                x = torch.from_numpy(faces.features[low : low + FACES].astype(np.float32))
                torch.mm(x, weight, out=torch.from_numpy(self.projected[low : low + FACES]))

    def __call__(self, subgraphs: PivotSubgraphs) -> Tensor:
        """(C, 2) float32"""
        h = self._first(subgraphs)  # (M, hidden)
        for product, bias in self.middle:
            h = _activated(product(torch.from_numpy(h)).numpy(), bias, subgraphs)  # (M, 2 out), then (M, out)
        both = torch.from_numpy(_beside_average(h, subgraphs))  # (C, 2 hidden)
        one, two = self.head
        return two(torch.prelu(one(torch.relu(self.last(both))), self.slope))

    def _first(self, subgraphs: PivotSubgraphs) -> NDArray[np.float32]:
        if self.config.inputs == "relations":
            x = torch.from_numpy(relations(self.faces, self.graph, subgraphs))
            return _activated(self.first(x).numpy(), self.bias, subgraphs)
        out = len(self.bias)
        pivots = self.projected[subgraphs.pivots] + self.shift
        alone = self.bias - pivots[:, :out]
        offsets = np.stack([alone, alone - pivots[:, out:]], axis=1)
        return _averaged_rows(self.projected, subgraphs.faces, subgraphs.pivot_of_row(), offsets, subgraphs)


def _split(layer: MeanLayer) -> tuple[Tensor, Tensor]:
    """(width, 2 out), the weights of the row beside those of the average; and the bias."""
    weight = layer.linear.weight.detach().float().cpu()
    own, average = weight.chunk(2, dim=1)
    return torch.cat([own, average]).T.contiguous(), layer.linear.bias.detach().float().cpu()


def _activated(
    products: NDArray[np.float32], bias: NDArray[np.float32], subgraphs: PivotSubgraphs
) -> NDArray[np.float32]:
    """A layer after its product: (M, out)."""
    rows = len(products)
    offsets = np.stack([bias, bias])[None]
    return _averaged_rows(
        products, np.arange(rows, dtype=np.int32), np.zeros(rows, np.int64), offsets, subgraphs
    )


def _averaged_rows(
    products: NDArray[np.float32],
    of_row: NDArray[np.int32],
    offset_of_row: NDArray[np.int64],
    offsets: NDArray[np.float32],
    subgraphs: PivotSubgraphs,
) -> NDArray[np.float32]:
    """(M, out) what each row is, and the mean of what its links are, below 0 cut off.

    products:      (P, 2 out), for the row itself and for its average
    of_row:        (M,) which of them belongs to each row
    offset_of_row: (M,) which of the offsets is added
    offsets:       (O, 2, out) for rows without links and for those with some
    """
    h = np.empty((len(of_row), offsets.shape[2]), np.float32)
    links = subgraphs.indptr, subgraphs.others
    in_threads(_average, spans(len(h)), products, (of_row, offset_of_row), offsets, links, h)
    return h


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _average(
    span: Span,
    products: NDArray[np.float32],
    which: tuple[NDArray[np.int32], NDArray[np.int64]],
    offsets: NDArray[np.float32],
    links: tuple[NDArray[np.int64], NDArray[np.int32]],
    h: NDArray[np.float32],
) -> None:
    of_row, offset_of_row = which
    indptr, others = links
    out = h.shape[1]
    for m in range(*span):
        degree = indptr[m + 1] - indptr[m]
        row, own = h[m], products[of_row[m]]
        offset = offsets[offset_of_row[m], min(degree, 1)]
        share = np.float32(1.0 / max(degree, 1))
        for unit in range(out):
            row[unit] = 0
        for link in range(indptr[m], indptr[m + 1]):
            other = products[of_row[others[link]], out:]
            for unit in range(out):
                row[unit] += other[unit]
        for unit in range(out):
            row[unit] = max(row[unit] * share + own[unit] + offset[unit], np.float32(0))


def _beside_average(h: NDArray[np.float32], subgraphs: PivotSubgraphs) -> NDArray[np.float32]:
    """[h || A h] of the candidates."""
    rows = subgraphs.candidate_rows()
    both = np.empty((len(rows), 2 * h.shape[1]), np.float32)
    in_threads(_stand_beside, spans(len(rows)), h, rows, subgraphs.indptr, subgraphs.others, both)
    return both


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _stand_beside(
    span: Span,
    h: NDArray[np.float32],
    rows: NDArray[np.int64],
    indptr: NDArray[np.int64],
    others: NDArray[np.int32],
    both: NDArray[np.float32],
) -> None:
    width = h.shape[1]
    for place in range(*span):
        m = rows[place]
        row, average = both[place, :width], both[place, width:]
        for unit in range(width):
            row[unit], average[unit] = h[m, unit], 0
        for link in range(indptr[m], indptr[m + 1]):
            other = h[others[link]]
            for unit in range(width):
                average[unit] += other[unit]
        share = np.float32(1.0 / max(indptr[m + 1] - indptr[m], 1))
        for unit in range(width):
            average[unit] *= share


def averaged(graph: KnnGraph) -> KnnGraph:
    """The same links with the mean of both directions' weights where both faces list each other. O(N k^2)."""
    weights = graph.similarities.astype(np.float32, copy=False)
    mean = np.zeros(weights.shape, np.float32)
    in_threads(_average_directions, spans(len(graph)), graph.neighbors, weights, mean)
    return graph.linked(mean)


@njit(cache=True, nogil=True)
def _average_directions(
    span: Span, neighbors: NDArray[np.int32], weights: NDArray[np.float32], mean: NDArray[np.float32]
) -> None:
    for face in range(*span):
        for rank in range(neighbors.shape[1]):
            other = neighbors[face, rank]
            if other == NOBODY:
                continue
            mean[face, rank] = weights[face, rank]
            for back in range(neighbors.shape[1]):
                if neighbors[other, back] == face:
                    mean[face, rank] = (weights[face, rank] + weights[other, back]) / 2
                    break
