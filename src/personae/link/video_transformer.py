"""A track as one vector: a transformer looks at its frames together, instead of averaging them.

After Wang et al., "Self-supervised video-centralised transformer for video face clustering", TPAMI 2023. The
paper's equations were not at hand and its program is not public: this is a method of its kind and no more.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from personae.link.film import Film

CLIP = 16  # frames looked at together at most
BLOCK = 512  # clips at a time
TIME = 0.3  # size of the time encoding beside the features
STRIDE = 40.0  # what trust of 1 multiplies agreement by, so that it learns as fast as the weights do


@dataclass(frozen=True)
class TransformerConfig:
    """How the network is built.

    dimension: d of the features
    width:     of the tokens
    heads:     of the attention
    layers:    of the encoder
    """

    dimension: int
    width: int = 64
    heads: int = 4
    layers: int = 1


class Layer(nn.Module):
    """Self-attention, then a perceptron, each after a layer norm and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.told = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, h: Tensor, there: Tensor) -> Tensor:
        """h: (B, L, w); there: (B, L) bool; (B, L, w)"""
        many, length, width = h.shape
        parts = self.asked(self.before(h)).reshape(many, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind()
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None])
        h = h + self.told(seen.transpose(1, 2).reshape(many, length, width))
        further: Tensor = h + self.outer(functional.relu(self.inner(self.between(h))))
        return further


class VideoNet(nn.Module):
    """z = normalise(sum_t a_t x_t + W h_class), a = softmax(v . h_t + 40 u r_t), h the tokens of an encoder.

    r_t is how much a frame agrees with the others, which a film is too short to teach the encoder. u, the
    trust in it, v and W are 0 at first: z begins as the temporal average, and learns which frames to look
    away from.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.enter = nn.Linear(config.dimension, config.width)
        self.whole = nn.Parameter(torch.zeros(config.width))  # the class token
        self.layers = nn.ModuleList(Layer(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.trust = nn.Parameter(torch.zeros(()))
        self.weigh, self.mend = nn.Linear(config.width, 1), nn.Linear(config.width, config.dimension)
        for layer in (self.weigh, self.mend):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """x: (B, L, d) unit rows; there: (B, L) bool, which of them are; (B, d) unit rows"""
        h = self.enter(x * math.sqrt(x.shape[2]))
        h = h + TIME * times(h.shape[1], h.shape[2]).to(h.device)
        h = torch.cat([self.whole.expand(len(h), 1, -1), h], dim=1)
        seen = functional.pad(there, (1, 0), value=True)
        for layer in self.layers:
            h = layer(h, seen)
        h = self.norm(h)
        told = self.weigh(h[:, 1:])[..., 0] + STRIDE * self.trust * agreement(x, there)
        weight = told.masked_fill(~there, -math.inf).softmax(dim=1)
        return functional.normalize((weight[..., None] * x).sum(dim=1) + self.mend(h[:, 0]), dim=1)


def agreement(x: Tensor, there: Tensor) -> Tensor:
    """(B, L), the mean cosine of each frame with the other frames of its clip; 0 where it is the only one.

    x: (B, L, d) unit rows; there: (B, L) bool, which of them are
    """
    x = x * there[..., None]
    others = (x @ x.sum(dim=1)[..., None])[..., 0] - x.square().sum(dim=2)
    return others / (there.sum(dim=1, keepdim=True) - 1).clamp(min=1)


def times(length: int, width: int) -> Tensor:
    """(length, width), sines and cosines of the place of each frame."""
    angle = torch.arange(length)[:, None] * 100 ** (-torch.arange(0, width, 2) / width)
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(length, width)


def centre_loss(z: Tensor, apart: Tensor, temperature: float) -> Tensor:
    """Mean of -log(e_v / (e_v + sum_u e_u)), e_u = exp(z_vs . c_u / t), u the tracks that v is told from.

    z:     (V, S, d) unit rows, S sub-clips of each of V tracks, at least two
    apart: (V, V) bool, which tracks u a track v is told from

    c_u, the centre of a track, is the normalised mean of its sub-clips, c_v that of the others than s: with
    itself in it a sub-clip would be near for its bad frames too. No gradient flows into centres.
    """
    fixed = z.detach()
    total = fixed.sum(dim=1, keepdim=True)
    others = functional.normalize(total - fixed, dim=2)  # (V, S, d)
    alike = z @ functional.normalize(total[:, 0], dim=1).T  # (V, S, V)
    own = torch.eye(len(z), dtype=torch.bool, device=z.device)[:, None]
    alike = torch.where(own, (z * others).sum(dim=2, keepdim=True), alike) / temperature
    alike = alike.masked_fill(~(apart[:, None] | own), -math.inf)
    return -alike.log_softmax(dim=2).diagonal(dim1=0, dim2=2).mean()


@torch.no_grad()
def embedded_tracks(net: VideoNet, film: Film) -> Tensor:
    """(T, d) float32, unit: the mean of each track's clips, alike in length and of `CLIP` frames at most."""
    device = next(net.parameters()).device
    parts = -(-film.length // CLIP)
    track = torch.repeat_interleave(torch.arange(len(film)), parts)
    part = torch.arange(len(track)) - torch.repeat_interleave(parts.cumsum(0) - parts, parts)
    start, end = (film.length[track] * at // parts[track] for at in (part, part + 1))
    found = torch.zeros(len(film), film.frames.shape[1])
    for at in torch.split(torch.arange(len(track)), BLOCK):
        clips = film.clips((film.begin[track] + start)[at], (end - start)[at])
        found.index_add_(0, track[at], net(*(part.to(device) for part in clips)).cpu())
    return functional.normalize(found, dim=1)
