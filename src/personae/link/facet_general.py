"""FaceT for new people: the same two transformers on what does not change when the whole space is turned.

The encoder's matrices are multiples of the identity, and the predictor's tokens hold cosines and ranks
in place of the values of a face, so that nothing can be learned by heart of the few identities there are.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.graph.knn_graph import KnnGraph
from personae.graph.lists import in_reach
from personae.link.evidence import OF_FACE, OF_PAIR, Evidence
from personae.link.links import Links

TOLD = OF_PAIR + 2 * OF_FACE  # values a candidate
SWAY = 3.0  # by how much the candidates may move the log-odds that the cosines give
BLOCK = 512  # queries judged at a time, about 0.3 MB each


@dataclass(frozen=True)
class GeneralFaceTConfig:
    """What builds the network.

    width:   d, values a face
    hop2:    neighbors that enhance a face
    hidden:  width of the predictor's tokens
    heads:   of the predictor's attention
    layers:  self-attention layers of the encoder, and of the predictor
    dropout: after each attention, and of the evidence
    """

    width: int
    hop2: int = 5
    hidden: int = 32
    heads: int = 4
    layers: int = 2
    dropout: float = 0.05


def told(known: Evidence, queries: NDArray[np.int64]) -> NDArray[np.float32]:
    """(B, hop1, 26) float32, of each candidate of these queries: the pair, the query, the candidate."""
    neighbors = known.graph.neighbors[queries]
    pairs, others = known.pairs(queries), known.faces[np.maximum(neighbors, 0)]
    own = np.broadcast_to(known.faces[queries][:, None], others.shape)
    found: NDArray[np.float32] = np.concatenate([pairs, own, others], axis=2)
    return found


class TurnedEncoder(nn.Module):
    """g_q = Norm(M(f_q, X, X) + f_q) with W^Q W^K^T and W^V multiples of the identity; lengths stay 1."""

    def __init__(self, config: GeneralFaceTConfig) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.full((config.layers + 1,), 2.0))
        self.share = nn.Parameter(torch.zeros(config.layers + 1))

    def forward(self, faces: Tensor, neighbors: Tensor, there: Tensor) -> Tensor:
        """(B, d) from unit faces (B, d), their hop2 neighbors (B, hop2, d), there (B, hop2) bool."""
        tokens = neighbors
        for layer in range(len(self.share) - 1):
            tokens = self.look(layer, tokens, tokens, there)
        itself = torch.cat([faces[:, None], tokens], 1)  # so that one among strangers stays where it is
        known = functional.pad(there, (1, 0), value=True)
        return self.look(-1, faces[:, None], itself, known)[:, 0]

    def look(self, layer: int, x: Tensor, tokens: Tensor, there: Tensor) -> Tensor:
        """(B, Q, d), each of x (B, Q, d) moved towards the tokens (B, T, d) that resemble it."""
        score = self.sharpness[layer].exp() * (x @ tokens.transpose(1, 2))  # (B, Q, T)
        score = score.masked_fill(~there[:, None], torch.finfo(score.dtype).min)
        weight = score.softmax(-1) * there[:, None]
        return functional.normalize(x + self.share[layer].exp() * (weight @ tokens), dim=-1)


class ResemblanceLayer(nn.Module):
    """Self-attention whose scores know the cosines of the tokens' faces, and a feed-forward part; post-norm."""

    def __init__(self, config: GeneralFaceTConfig) -> None:
        super().__init__()
        h = config.hidden
        self.heads = config.heads
        self.project = nn.Linear(h, 3 * h)
        self.sharpness = nn.Parameter(torch.linspace(0, 3, config.heads))
        self.out = nn.Linear(h, h)
        self.norm = nn.LayerNorm(h)
        self.forth = nn.Sequential(nn.Linear(h, 2 * h), nn.PReLU(), nn.Linear(2 * h, h))
        self.forth_norm = nn.LayerNorm(h)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, cosines: Tensor) -> Tensor:
        """(B, T, h) from tokens x (B, T, h) and cosines (B, T, T), far below -1 where there is no token."""
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)) for part in self.project(x).chunk(3, -1)
        )  # (B, T, heads, .)
        mixture = []
        for head in range(self.heads):
            score = torch.baddbmm(
                cosines * self.sharpness[head].exp(),
                q[:, :, head],
                k[:, :, head].transpose(1, 2),
                alpha=q.shape[-1] ** -0.5,
            )
            mixture.append(score.softmax(-1) @ v[:, :, head])
        x = self.norm(x + self.dropout(self.out(torch.cat(mixture, -1))))
        return torch.as_tensor(self.forth_norm(x + self.dropout(self.forth(x))))


class GeneralFaceTNetwork(nn.Module):
    """Both parts, trained together by one loss."""

    centre: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, config: GeneralFaceTConfig) -> None:
        super().__init__()
        self.hop2 = config.hop2
        self.dropout = config.dropout
        self.register_buffer("centre", torch.zeros(config.width))  # mean face of training
        self.register_buffer("mean", torch.zeros(TOLD))  # of the evidence in training
        self.register_buffer("scale", torch.ones(TOLD))
        self.encoder = TurnedEncoder(config)
        h = config.hidden
        self.embed = nn.Sequential(nn.Linear(TOLD + 2, 2 * h), nn.PReLU(), nn.Linear(2 * h, h))
        self.direct = nn.Linear(3, 1)
        self.layers = nn.ModuleList(ResemblanceLayer(config) for _ in range(config.layers))
        self.pair = nn.Sequential(nn.Linear(2 * h, h), nn.PReLU(), nn.Linear(h, 1))
        for weight in (*self.direct.parameters(), *self.pair[-1].parameters()):
            nn.init.zeros_(weight)
        self.direct.weight.data[0, -1] = 1.5  # starts as a threshold of enhanced faces at 0.5

    def centred(self, faces: Tensor) -> Tensor:
        """(N, d) unit rows of the faces seen from the mean of the training faces."""
        return functional.normalize(faces - self.centre, dim=-1)

    def encoded(self, faces: Tensor, neighbors: Tensor, needed: Tensor) -> Tensor:
        """(M, d), the enhanced faces of the rows `needed` (M,) of centred faces (N, d)."""
        near = neighbors[needed, : self.hop2]
        return torch.as_tensor(self.encoder(faces[needed], faces[near.clamp(min=0)], near >= 0))

    def judged(self, f: Tensor, g: Tensor, said: Tensor, there: Tensor) -> Tensor:
        """(B, hop1) log-odds that the candidates are the query's person.

        f, g:  (B, 1 + hop1, d), the centred and the enhanced query, then those of the candidates
        said:  (B, hop1, 26), the evidence, as of `told`
        there: (B, hop1) bool
        """
        to_query = torch.cat([part[:, 1:] @ part[:, 0, :, None] for part in (f, g)], -1)
        to_query = 10 * to_query - 5  # (B, hop1, 2), of the size of the other evidence
        raw = (said - self.mean) / self.scale
        known = functional.dropout(torch.ones_like(raw[:, :1]), self.dropout, self.training)  # a column a query
        pairs = torch.cat([raw * known, to_query], -1)
        start = self.embed(pairs)  # (B, hop1, h)
        with torch.no_grad():
            cosines = (g[:, 1:] @ g[:, 1:].transpose(1, 2)).masked_fill(~there[:, None], -1e4)
        tokens = start
        for layer in self.layers:
            tokens = layer(tokens, cosines)
        odds = self.direct(torch.cat([raw[..., :1], to_query], -1))  # (B, hop1, 1)
        moved = SWAY * torch.tanh(self.pair(torch.cat([start, tokens], -1)) / SWAY)
        return torch.as_tensor((odds + moved)[..., 0])

    def forward(self, faces: Tensor, neighbors: Tensor, queries: Tensor, said: Tensor) -> Tensor:
        """(B, hop1) log-odds of centred faces (N, d), neighbors (N, k), queries (B,), said (B, hop1, 26)."""
        candidates = neighbors[queries]
        asked = torch.cat([queries[:, None], candidates.clamp(min=0)], 1)
        needed, place = torch.unique(asked, return_inverse=True)
        g = self.encoded(faces, neighbors, needed)[place]
        return self.judged(faces[asked], g, said, candidates >= 0)


class GeneralFaceTModel:
    """The network and what built it; an instance of `LinkModel`."""

    def __init__(self, config: GeneralFaceTConfig) -> None:
        self.config = config
        self.module = GeneralFaceTNetwork(config)

    @torch.no_grad()
    def links(self, faces: FaceSet, graph: KnnGraph) -> Links:
        """Probabilities of all candidates, each face centred and encoded once.

        In a small collection fewer neighbors are candidates: see `in_reach`.
        """
        graph = in_reach(graph)
        module = self.module.eval()
        device = module.centre.device
        neighbors = torch.from_numpy(graph.neighbors).to(device, torch.int64)
        weights = np.zeros(graph.neighbors.shape, np.float32)
        known = Evidence.of(faces.features, graph)
        f = module.centred(torch.from_numpy(np.asarray(faces.features, np.float32)).to(device))
        rows = torch.arange(len(graph), device=device)
        parts = (rows[start : start + 16 * BLOCK] for start in range(0, len(rows), 16 * BLOCK))
        g = torch.cat([module.encoded(f, neighbors, part) for part in parts])
        for start in range(0, len(graph) if graph.k else 0, BLOCK):
            part = rows[start : start + BLOCK]
            candidates = neighbors[part]
            asked = torch.cat([part[:, None], candidates.clamp(min=0)], 1)
            said = torch.from_numpy(told(known, part.cpu().numpy())).to(device)
            there = candidates >= 0
            logits = module.judged(f[asked], g[asked], said, there)
            weights[start : start + BLOCK] = (logits.sigmoid() * there).cpu().numpy()
        return Links.of(graph.linked(weights))
