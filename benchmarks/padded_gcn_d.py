"""GCN-D in the plain form of its paper: padded to the largest proposal of a batch, dense adjacency."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def padded_scores(model: Any, scene: Any, proposals: Any, batch: int = 16) -> Any:
    """(P, 2) float32, of preset general; only what is known of a member is shared with the fast path."""
    found = np.zeros((len(proposals), 2), np.float32)
    for low in range(0, len(proposals), batch):
        part = proposals.take(np.arange(low, min(low + batch, len(proposals))))
        rows = torch.from_numpy(model.members(scene, part)[0])
        most = int(part.sizes.max())
        x = torch.zeros(len(part), most, rows.shape[1])
        average = torch.zeros(len(part), most, most)
        there = torch.zeros(len(part), most, dtype=torch.bool)
        for b, (start, size) in enumerate(zip(part.offsets, part.sizes, strict=False)):
            faces = part.members(b)
            links = torch.from_numpy(scene.matrix[faces][:, faces].toarray())
            x[b, :size] = rows[start : start + size]
            average[b, :size, :size] = links + torch.eye(int(size))
            there[b, :size] = True
        average /= average.sum(dim=2, keepdim=True).clamp(min=1)
        with torch.inference_mode():
            found[low : low + batch] = forward(model.detection, x, average, there).numpy()
    return found


def forward(net: Any, x: Tensor, average: Tensor, there: Tensor) -> Tensor:
    """x: (B, n, 11) with rows of padding, average: (B, n, n) is D~^-1 (A + I), there: (B, n); (B, 2)"""
    x = (x - net.mean) / net.scale
    h = net.first(x, torch.bmm(average, x))
    h = torch.cat([net.second(h, torch.bmm(average, h)), x], dim=2)
    gone = ~there[:, :, None]
    sizes = there.sum(dim=1, keepdim=True)
    most = h.masked_fill(gone, -torch.inf).amax(dim=1)
    mean = h.masked_fill(gone, 0).sum(dim=1) / sizes
    least = h.masked_fill(gone, torch.inf).amin(dim=1)
    return torch.sigmoid(net.head(torch.cat([most, mean, least], dim=1)))
