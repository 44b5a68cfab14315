"""FaceT: faces enhanced by their neighbors, and the candidates of a face judged together, by attention.

"Learning to Cluster Faces via Transformer", 2021. The text leaves several things open; what was chosen is said
at each place, with the letter under which docs/methods/facet.md lists it.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class FaceTConfig:
    """What builds the network.

    width:   D, values a face
    mode:    "relation" judges enhanced faces by their cosine, "linkage" judges the faces as they are
    hop2:    neighbors that enhance a face; hop1, the candidates, are all neighbors of the graph (A13)
    heads:   each D / heads wide, which is 64 at width 256 and 128 at width 512, as published
    layers:  self-attention layers of the encoder, and of the predictor
    dropout: after each attention
    forward: whether a layer has a feed-forward part, 4 D wide with PReLU, which no equation shows (A4)
    norm:    of the enhanced face, over its values or to unit length (A5)
    """

    width: int
    mode: Literal["both", "relation", "linkage"] = "both"
    hop2: int = 5
    heads: int = 4
    layers: int = 2
    dropout: float = 0.4
    forward: bool = False
    norm: Literal["layer", "length"] = "layer"


class Attention(nn.Module):
    """M(Q, K, V): softmax(Q W^Q (K W^K)^T / sqrt(head size)) V W^V a head, side by side, times W^O (A9)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.head = -(-width // heads)  # 64 at width 256
        self.query, self.key, self.value = (nn.Linear(width, heads * self.head, bias=False) for _ in range(3))
        self.out = nn.Linear(heads * self.head, width, bias=False)

    def forward(self, x: Tensor, tokens: Tensor, there: Tensor) -> Tensor:
        """(B, Q, D), for each of the queries x (B, Q, D) a mixture of tokens (B, T, D); 0 where none is there.

        there: (B, T) bool
        """
        q, k, v = (
            self.split(part) for part in (self.query(x), self.key(tokens), self.value(tokens))
        )  # each (B, h, Q or T, head)
        return torch.as_tensor(self.out(self.mixed(q, k, v, there)))  # (B, Q, D)

    def split(self, x: Tensor) -> Tensor:
        """(B, h, T, head) of x (B, T, h * head)."""
        return x.view(*x.shape[:2], self.heads, self.head).transpose(1, 2)

    def mixed(self, q: Tensor, k: Tensor, v: Tensor, there: Tensor) -> Tensor:
        """(B, Q, h * head), the values side by side; q (B, h, Q, head), k and v (B, h, T, head)."""
        someone = there.any(1, keepdim=True)
        open_to = (there | ~someone)[:, None, None]  # a softmax over nobody is not defined
        mixture = functional.scaled_dot_product_attention(q, k, v, attn_mask=open_to)  # (B, h, Q, head)
        return mixture.transpose(1, 2).flatten(2) * someone[..., None]


class AttentionLayer(nn.Module):
    """x = LN(Dropout(M(x, X, X)) + x): tokens look at each other and themselves (A6); no places (A8)."""

    def __init__(self, config: FaceTConfig) -> None:
        super().__init__()
        width = config.width
        self.attention = Attention(width, config.heads)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.forth: nn.Module | None = None
        if config.forward:
            self.forth = nn.Sequential(nn.Linear(width, 4 * width), nn.PReLU(), nn.Linear(4 * width, width))
            self.forth_norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """(B, T, D) from tokens (B, T, D), there (B, T) bool."""
        return self.after(tokens, self.attention(tokens, tokens, there))

    def after(self, tokens: Tensor, mixture: Tensor) -> Tensor:
        """What follows the attention; tokens and mixture (..., D)."""
        x = self.norm(self.dropout(mixture) + tokens)
        if self.forth is not None:
            x = self.forth_norm(self.dropout(self.forth(x)) + x)
        return torch.as_tensor(x)


class RelationEncoder(nn.Module):
    """g_q = Norm(M(f_q, X, X) + f_q), where X are the neighbors of q after they looked at each other."""

    def __init__(self, config: FaceTConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(AttentionLayer(config) for _ in range(config.layers))
        self.cross = Attention(config.width, config.heads)
        self.norm = nn.LayerNorm(config.width) if config.norm == "layer" else Length()

    def forward(self, faces: Tensor, neighbors: Tensor, there: Tensor) -> Tensor:
        """(B, D), the enhanced faces, from faces (B, D), their hop2 neighbors (B, hop2, D), there (B, hop2)."""
        tokens = neighbors  # raw faces (A16), the face itself not among them (A7)
        for layer in self.layers:
            tokens = layer(tokens, there)  # (B, hop2, D)
        mixture = self.cross(faces[:, None], tokens, there)[:, 0]  # (B, D)
        return torch.as_tensor(self.norm(mixture + faces))


class LinkagePredictor(nn.Module):
    """Logits (different, same) of [g_q || g_qk], g_qk a candidate that has looked at the others (A3)."""

    def __init__(self, config: FaceTConfig) -> None:
        super().__init__()
        width = config.width
        self.layers = nn.ModuleList(AttentionLayer(config) for _ in range(config.layers))
        self.wide, self.bend, self.narrow = (
            nn.Linear(2 * width, width),
            nn.PReLU(width),
            nn.Linear(width, 2),
        )  # A10

    def forward(self, faces: Tensor, candidates: Tensor, there: Tensor) -> Tensor:
        """(B, hop1, 2) of faces (B, D), candidates (B, hop1, D), there (B, hop1) bool."""
        tokens = candidates
        for layer in self.layers:
            tokens = layer(tokens, there)  # (B, hop1, D)
        pairs = torch.cat([faces[:, None].expand_as(tokens), tokens], dim=-1)  # (B, hop1, 2D)
        bent = self.bend(self.wide(pairs).flatten(0, 1)).view_as(tokens)  # (B, hop1, D)
        return torch.as_tensor(self.narrow(bent))


class Length(nn.Module):
    """Unit length."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=-1)


class FaceTNetwork(nn.Module):
    """Both parts, trained together by one loss (A15)."""

    def __init__(self, config: FaceTConfig) -> None:
        super().__init__()
        self.mode = config.mode
        self.hop2 = config.hop2
        self.encoder = RelationEncoder(config) if config.mode != "linkage" else None
        self.predictor = LinkagePredictor(config) if config.mode != "relation" else None

    def forward(self, faces: Tensor, neighbors: Tensor, queries: Tensor) -> Tensor:
        """(B, hop1) log-odds that each candidate is the same person as its query.

        Each distinct face is encoded once, however many lists hold it.

        faces:     (N, D) unit rows
        neighbors: (N, k) int64, best first, -1 where there is none
        queries:   (B,) int64
        """
        candidates = neighbors[queries]  # (B, hop1)
        there = candidates >= 0
        asked = torch.cat([queries[:, None], candidates.clamp(min=0)], 1)
        needed, place = torch.unique(asked, return_inverse=True)
        g = self.encoded(faces, neighbors[:, : self.hop2], needed)[place]  # (B, 1 + hop1, D)
        return self.judged(g[:, 0], g[:, 1:], there)

    def encoded(self, faces: Tensor, neighbors: Tensor, needed: Tensor) -> Tensor:
        """(M, D), the enhanced faces of the rows `needed` (M,)."""
        if self.encoder is None:
            return faces[needed]
        near = neighbors[needed]
        return torch.as_tensor(self.encoder(faces[needed], faces[near.clamp(min=0)], near >= 0))

    def judged(self, query: Tensor, candidates: Tensor, there: Tensor) -> Tensor:
        """(B, hop1) log-odds of enhanced queries (B, D) and candidates (B, hop1, D)."""
        if self.predictor is None:
            return log_odds(query[:, None], candidates)
        logits = self.predictor(query, candidates, there)
        return torch.as_tensor(logits[..., 1] - logits[..., 0])


def log_odds(a: Tensor, b: Tensor) -> Tensor:
    """Of p = 1 - e, the enhanced faces alone: e = 1/4 |a / |a| - b / |b||^2 in [0, 1] (A18)."""
    e = (functional.normalize(a, dim=-1) - functional.normalize(b, dim=-1)).square().sum(-1) / 4
    return torch.logit(1 - e, eps=1e-6)
