"""What networks learn from the tracks of one film, without anybody's name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from personae.errors import InputError
from personae.link.film import Film
from personae.link.siamese import SiameseNet, contrastive_loss
from personae.link.video_transformer import CLIP, TransformerConfig, VideoNet, centre_loss, embedded_tracks
from personae.train.loop import seed_of, train
from personae.train.plan import Plan

PLAN = Plan(
    steps=200,
    optimizer="adamw",
    learning_rate=2e-3,
    weight_decay=1e-2,
    schedule="cosine",
    warmup=20,
    validate_every=200,  # there is nothing to look at: the last weights count
)
PAIR_PLAN = replace(PLAN, learning_rate=3e-4)
TRACKS = 128  # a step
SUB_CLIPS = 2  # a track
SHORTEST, LONGEST = 0.3, 0.8  # of a track, a sub-clip
WRONG = 0.2  # share of the frames that are another's
UNLIKE = 0.5  # share of the other tracks, the least alike, that a track is told from
TEMPERATURE = 0.1
PAIRS = 512  # a step
FRAMES = 1000  # whose distances are sorted
HARDEST = 0.25  # of those, that are learned from

Pairs = Literal["tracks", "ranked"]


class FilmLesson:
    """Sub-clips are near the centre of their track, and far from those of tracks that are somebody else's.

    Others are the tracks that overlap in time, for sure, and the half of the batch whose temporal averages are
    least alike. Frames of anybody are put in the place of some, so that the network learns to look away from
    them; that is this project's.
    """

    module: nn.Module

    def __init__(self, film: Film, net: VideoNet, seed: int) -> None:
        self.film, self.module, self.seed = film, net, seed
        self.means = film.means

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of tracks drawn anew."""
        rng = np.random.default_rng(seed_of(self.seed, step))
        track = torch.from_numpy(rng.permutation(len(self.film))[:TRACKS])
        x, there = self.sub_clips(track.repeat_interleave(SUB_CLIPS), rng)
        z = self.module(x.to(device), there.to(device))
        apart = told_apart(self.means[track]) | self.film.apart[track][:, track]
        return centre_loss(z.reshape(len(track), SUB_CLIPS, -1), apart.to(device), TEMPERATURE)

    def sub_clips(self, track: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A part of each track, as `Film.clips`."""
        whole = self.film.length[track]
        share = torch.from_numpy(rng.uniform(SHORTEST, LONGEST, len(track)))
        length = (whole * share).ceil().long().clamp(max=CLIP)
        start = (torch.from_numpy(rng.random(len(track))) * (whole - length + 1)).long()
        x, there = self.film.clips(self.film.begin[track] + start, length)
        wrong = torch.from_numpy(rng.random(there.shape) < WRONG)
        anybody = torch.from_numpy(rng.integers(0, len(self.film.frames), there.shape))
        return torch.where(wrong[..., None], self.film.frames[anybody], x), there

    def score(self) -> float:
        """Nothing is held out."""
        return 0.0


def told_apart(means: Tensor) -> Tensor:
    """(V, V) bool, the share `UNLIKE` of pairs of tracks that are least alike by their means (V, d)."""
    alike = means @ means.T
    off = alike[~torch.eye(len(means), dtype=torch.bool)]
    return alike < off.quantile(UNLIKE)


class PairLesson:
    """Pairs of frames: of a track and of overlapping tracks, as TSiam, or by their distances, as SSiam.

    SSiam takes each frame of a batch with the nearest of the others for one person, and with the farthest for
    two, and of these pairs a quarter: the farthest near ones, the nearest far ones.
    """

    module: nn.Module

    def __init__(self, film: Film, net: SiameseNet, pairs: Pairs, seed: int) -> None:
        self.film, self.module, self.seed, self.pairs = film, net, seed, pairs
        self.overlapping = film.apart.nonzero().numpy()
        if pairs == "tracks" and not len(self.overlapping):
            raise InputError('no two tracks overlap, and TSiam learns from those; take pairs="ranked"')

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of pairs drawn anew."""
        rng = np.random.default_rng(seed_of(self.seed, step))
        one, other, same = self.of_tracks(rng) if self.pairs == "tracks" else self.ranked(rng)
        f = self.module(self.film.frames[torch.cat([one, other])].to(device))
        return contrastive_loss(f[: len(one)], f[len(one) :], same.to(device))

    def of_tracks(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(2 P,) rows of frames, twice, and whether they are of one track; P of either kind."""
        own = rng.integers(0, len(self.film), PAIRS)
        two = self.overlapping[rng.integers(0, len(self.overlapping), PAIRS)]
        one, other = (self.frames_of(tracks, rng) for tracks in (np.r_[own, two[:, 0]], np.r_[own, two[:, 1]]))
        return one, other, torch.arange(2 * PAIRS) < PAIRS

    def frames_of(self, track: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """A frame of each of these tracks."""
        length = self.film.length[track]
        return self.film.begin[track] + (torch.from_numpy(rng.random(len(track))) * length).long()

    def ranked(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of frames, twice, and whether they count as one person."""
        row = torch.from_numpy(rng.permutation(len(self.film.frames))[:FRAMES])
        with torch.no_grad():
            f = self.module(self.film.frames[row])
        alike = f @ f.T
        far, farthest = alike.min(dim=1)
        near, nearest = alike.fill_diagonal_(-2).max(dim=1)
        few = max(1, int(HARDEST * len(row)))
        positive, negative = near.argsort()[:few], far.argsort(descending=True)[:few]
        one = row[torch.cat([positive, negative])]
        other = row[torch.cat([nearest[positive], farthest[negative]])]
        return one, other, torch.arange(2 * few) < few

    def score(self) -> float:
        """Nothing is held out."""
        return 0.0


def learn_film(
    film: Film, plan: Plan | None, seed: int, *, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """(T, d) float32, unit: the tracks as a transformer sees them that was trained on them."""
    torch.manual_seed(seed)
    net = VideoNet(TransformerConfig(film.frames.shape[1]))
    train(FilmLesson(film, net, seed), replace(plan or PLAN, seed=seed), progress=progress)
    return embedded_tracks(net, film)


def learn_pairs(
    film: Film,
    pairs: Pairs,
    plan: Plan | None,
    seed: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """(T, d) float32, unit: each track's mean frame as a perceptron sees it that was trained on them."""
    torch.manual_seed(seed)
    net = SiameseNet(film.frames.shape[1])
    lesson = PairLesson(film, net, pairs, seed)
    train(lesson, replace(plan or PAIR_PLAN, seed=seed), progress=progress)
    with torch.no_grad():
        found: NDArray[np.float32] = film.mean_of(net(film.frames)).numpy()
    return found
