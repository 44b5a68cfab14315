"""What networks learn from the tracks of one film, without anybody's name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

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
SHORTEST = 0.3  # of a track, the shorter of its two sub-clips
WRONG = 0.2  # share of the frames that are another's
UNLIKE = 0.8  # a pair of tracks less alike than the most alike fifth of overlapping pairs is told apart
KNOWN = 10  # overlapping pairs at least; with fewer, half of all pairs are told apart
CROWD = 2000  # tracks at most, whose pairs are looked at then
BAD = 0.25  # of the frames out of place, and the temporal averages count for nothing
BLOCK = 1 << 12  # frames at a time
LEAST = 1e-6  # mean of 1 - cosine
TEMPERATURE = 0.1
PAIRS = 512  # a step
FRAMES = 1000  # whose distances are sorted
HARDEST = 0.25  # of those, that are learned from

Pairs = Literal["tracks", "ranked"]


class FilmLesson:
    """A sub-clip is near the rest of its track, and far from tracks that are somebody else's.

    The two sub-clips of a track have no frame in common, so that what is wrong with a frame of one doesn't help
    to find the other. Somebody else's are the tracks that overlap in time, for sure, and those whose temporal
    averages are as unlike as four fifths of the overlapping ones are. Frames of anybody are put in the place of
    some, so that the network learns to look away from them. All this is this project's.
    """

    module: nn.Module

    def __init__(self, film: Film, net: VideoNet, seed: int) -> None:
        self.film, self.module, self.seed = film, net, seed
        self.means, self.level = film.means, unlike(film)

    def loss(self, step: int, device: str) -> Tensor:
        """The loss of tracks drawn anew."""
        rng = np.random.default_rng(seed_of(self.seed, step))
        track = torch.from_numpy(rng.permutation(len(self.film))[:TRACKS])
        x, there = self.sub_clips(track, rng)
        z = self.module(x.to(device), there.to(device))
        looks = self.means[track] @ self.means[track].T < self.level
        apart = (looks | self.film.apart[track][:, track]).to(device)
        return centre_loss(z.reshape(len(track), 2, -1), apart, TEMPERATURE)

    def sub_clips(self, track: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Two parts of each track without a common frame, as `Film.clips`; a lone frame is both."""
        whole = self.film.length[track]
        share = torch.from_numpy(rng.uniform(SHORTEST, 1 - SHORTEST, len(track)))
        cut = torch.minimum((whole * share).round().long(), whole - 1).clamp(min=1)
        start = torch.stack([torch.zeros_like(cut), cut % whole], dim=1)
        room = torch.stack([cut, whole - start[:, 1]], dim=1).reshape(-1)
        length = room.clamp(max=CLIP)
        start = (self.film.begin[track][:, None] + start).reshape(-1)
        start = start + (torch.from_numpy(rng.random(len(room))) * (room - length + 1)).long()
        x, there = self.film.clips(start, length)
        wrong = torch.from_numpy(rng.random(there.shape) < WRONG)
        anybody = torch.from_numpy(rng.integers(0, len(self.film.frames), there.shape))
        return torch.where(wrong[..., None], self.film.frames[anybody], x), there

    def score(self) -> float:
        """Nothing is held out."""
        return 0.0


def unlike(film: Film) -> float:
    """The cosine of temporal averages below which two tracks are taken for two people.

    It is above `UNLIKE` of the pairs that overlap, which are two people; where few do, above half of all pairs.
    """
    a, b = film.apart.triu().nonzero().T
    if len(a) >= KNOWN:
        return float(np.quantile((film.means[a] * film.means[b]).sum(dim=1).numpy(), UNLIKE))
    some = film.means[:: -(-len(film) // CROWD)]
    return float(np.median((some @ some.T)[~torch.eye(len(some), dtype=torch.bool)].numpy()))


def out_of_place(film: Film) -> float:
    """The share of the frames that are less near to the rest of their track than to a fifth of the others.

    Of the frames of tracks of two or more. O(F T d), of `CROWD` tracks at most.
    """
    rest = functional.normalize(film.sum_of(film.frames)[film.track] - film.frames, dim=1)
    own = (film.frames * rest).sum(dim=1)
    step = -(-len(film) // CROWD)
    some, number = film.means[::step], torch.arange(0, len(film), step)
    several = (film.length[film.track] > 1).nonzero()[:, 0]
    out = 0
    for here in torch.split(several, BLOCK):
        other = number != film.track[here, None]
        nearer = (film.frames[here] @ some.T > own[here, None]) & other
        out += int((nearer.sum(dim=1) > (1 - UNLIKE) * other.sum(dim=1)).sum())
    return out / len(several)


def beside_averages(film: Film, learned: Tensor) -> Tensor:
    """(T, w + d) unit: what was learned of each track, (T, w) unit, and its temporal average side by side.

    Their cosines are averaged. The more frames are out of place, the more the first counts: a film of good
    frames has nothing to teach, and what is learned of it draws look-alikes together. Either is weighed by one
    over its mean of 1 - cosine, lest the one that spreads the tracks wider outweighs the other.
    """
    share = min(1.0, out_of_place(film) / BAD)
    spread = [max(1 - float(x.mean(dim=0).square().sum()), LEAST) for x in (learned, film.averages)]
    both = [(share / spread[0]) ** 0.5 * learned, ((1 - share) / spread[1]) ** 0.5 * film.averages]
    return functional.normalize(torch.cat(both, dim=1), dim=1)


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
            raise InputError("no two tracks overlap, and TSiam learns from those; take ranked pairs")

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
            f = seen_by(self.module, self.film.frames[row])
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


def seen_by(net: nn.Module, frames: Tensor) -> Tensor:
    """(N, w) on the CPU, wherever the network is."""
    seen: Tensor = net(frames.to(next(net.parameters()).device)).cpu()
    return seen


def learn_film(
    film: Film, plan: Plan | None, seed: int, *, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """(T, 2 d) float32, unit: the tracks as a transformer trained on them sees them, beside their averages."""
    torch.manual_seed(seed)
    net = VideoNet(TransformerConfig(film.frames.shape[1]))
    train(FilmLesson(film, net, seed), replace(plan or PLAN, seed=seed), progress=progress)
    found: NDArray[np.float32] = beside_averages(film, embedded_tracks(net, film)).numpy()
    return found


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
        found: NDArray[np.float32] = film.mean_of(seen_by(net, film.frames)).numpy()
    return found
