"""What STAR-FC learns from: every link of subgraphs of identities that lie close together."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from personae.data.faceset import FaceSet
from personae.errors import InputError
from personae.graph.affinity import affinity, averages
from personae.graph.directions import mean_directions
from personae.graph.knn_graph import KnnGraph
from personae.graph.search import knn_graph
from personae.link.star_fc import StarFCConfig, StarFCModel, StarFCNet
from personae.train.exam import Exam
from personae.train.loop import Look, seed_of, train
from personae.train.plan import Plan
from personae.train.sampling import Sampling

GRADED: dict[str, Any] = {"node_intimacy": ({"tau": 0.6},)}
T = TypeVar("T")
CALIBRATED = 20_000  # links whose labels set the first threshold


@dataclass(frozen=True)
class Course:
    """What the steps of a training go through.

    sampling: of the subgraphs
    k:        neighbors a face
    parts:    steps that share the links of a subgraph between them
    passes:   times the links of a subgraph are gone through
    """

    sampling: Sampling
    k: int
    parts: int = 40
    passes: int = 2


class Subgraphs:
    """The subgraphs of a course: each depends on its number alone, and the last one is kept."""

    def __init__(self, exam: Exam, course: Course, seed: int) -> None:
        faces, truth = exam.lesson()
        if len(faces) < 2:
            raise InputError("there is one face to learn from; a link model needs faces of several people")
        self.faces, self.truth = faces, truth
        self.course = course
        self.seed = seed
        self.last: tuple[int, Any] = (-1, None)

    def of_step(self, step: int, built: Callable[[FaceSet, NDArray[np.int32], KnnGraph], T]) -> T:
        """What `built` makes of the faces, identities and kNN graph of the subgraph of this step."""
        number = step // (self.course.parts * self.course.passes)
        if self.last[0] != number:
            self.last = number, built(*self.drawn(number))
        found: T = self.last[1]
        return found

    def drawn(self, number: int) -> tuple[FaceSet, NDArray[np.int32], KnnGraph]:
        """Faces of one subgraph, their identities, and the graph among them alone, O(n^2 d)."""
        rng = np.random.default_rng([self.seed, number])
        centers = mean_directions(self.faces.features, self.truth)
        rows = self.course.sampling.faces(centers, self.truth, rng)
        chosen = self.faces.take(rows)
        return chosen, self.truth[rows], knn_graph(chosen, self.course.k)

    def part(self, step: int, links: int) -> Tensor:
        """Which of so many links this step learns from."""
        turn, place = divmod(step, self.course.parts)
        order = np.random.default_rng([self.seed, turn, links]).permutation(links)
        return torch.from_numpy(np.array_split(order, self.course.parts)[place])


@dataclass(frozen=True)
class FeatureSubgraph:
    """n faces and all links of their affinity, both ways, a face with itself left out.

    features, average: (n, d) the faces, and A~ times the faces
    one, other:        (E,) the two faces of each link
    same:              (E,) int64, 1 where they are one person
    """

    features: Tensor
    average: Tensor
    one: Tensor
    other: Tensor
    same: Tensor

    @classmethod
    def of(cls, faces: FaceSet, truth: NDArray[np.int32], graph: KnnGraph) -> "FeatureSubgraph":
        """InputError: no two faces are at all alike."""
        matrix = affinity(graph)
        features = faces.features.astype(np.float32)
        one = np.repeat(np.arange(len(faces)), np.diff(matrix.indptr))
        kept = one != matrix.indices
        one, other = one[kept], matrix.indices[kept].astype(np.int64)
        if not len(one):
            raise InputError("all cosines are 0 or less; a link model learns from faces that are alike")
        parts = (
            features,
            averages(matrix, features),
            one,
            other,
            (truth[one] == truth[other]).astype(np.int64),
        )
        return cls(*(torch.from_numpy(part) for part in parts))


class StarFCLesson:
    """Links of SPSS subgraphs, their features turned at random about their mean for each step.

    A pair of raw features tells this network the two identities, and it learns them by heart where there are
    a thousand. Turned spaces have no directions to learn, only how far apart two faces and their surroundings
    are.
    """

    def __init__(
        self, model: StarFCModel, exam: Exam, subgraphs: Subgraphs, seed: int, *, turned: bool
    ) -> None:
        self.model = model
        self.module: nn.Module = model.module
        self.exam = exam
        self.subgraphs = subgraphs
        self.seed = seed
        self.turned = turned

    def loss(self, step: int, device: str) -> Tensor:
        """Cross-entropy over one part of the links."""
        net = self.model.module
        subgraph = self.subgraphs.of_step(step, FeatureSubgraph.of)
        part = self.subgraphs.part(step, len(subgraph.one))
        features, average = subgraph.features.to(device), subgraph.average.to(device)
        if self.turned:
            turn = random_turn(features.shape[1], seed_of(self.seed, step)).to(device)
            features, average = ((values - net.mean) @ turn + net.mean for values in (features, average))
        x = net.faces(features, average)
        logits = net.judged(x, subgraph.one[part].to(device), subgraph.other[part].to(device))
        return functional.cross_entropy(logits, subgraph.same[part].to(device))

    def score(self) -> float:
        """Of node intimacy at its best thresholds."""
        return graded(self.exam, self.model)


def learn_star_fc(
    exam: Exam,
    config: StarFCConfig,
    course: Course,
    plan: Plan,
    folder: Path | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[StarFCModel, list[Look]]:
    """The published network, trained."""
    torch.manual_seed(plan.seed)
    model = StarFCModel(config)
    subgraphs = Subgraphs(exam, course, plan.seed)
    put_at_the_mean(model.module, subgraphs.faces.features)
    start_from_differences(model.module)
    calibrate(model.module, FeatureSubgraph.of(*subgraphs.drawn(0)), plan.seed)
    lesson = StarFCLesson(model, exam, subgraphs, plan.seed, turned=True)
    return model, train(lesson, plan, folder=folder, progress=progress)


def graded(exam: Exam, model: StarFCModel) -> float:
    """The mean of both F on the validation identities, by node intimacy."""
    return exam.decide(model.links(exam.faces, exam.graph), list(GRADED), GRADED)[1]


def random_turn(d: int, seed: int) -> Tensor:
    """(d, d) a rotation or reflection, every one as likely."""
    drawn = torch.randn(d, d, generator=torch.Generator().manual_seed(seed))
    q, r = torch.linalg.qr(drawn)
    turn: Tensor = q * torch.sign(torch.diagonal(r))
    return turn


def put_at_the_mean(net: StarFCNet, features: NDArray[np.floating[Any]]) -> None:
    """The features go in less their mean and with a variance of 1 a value."""
    values = features.astype(np.float64)
    net.mean.copy_(torch.from_numpy(values.mean(axis=0)))
    net.scale.fill_(1 / max(float((values - values.mean(axis=0)).std()), 1e-6))


@torch.no_grad()
def start_from_differences(net: StarFCNet) -> None:
    """Weights with which the score of a link is the less, the further apart its faces and their averages are.

    The units of the convolution come in pairs of opposite sign, whose difference is a random projection of
    [f || A~ f]. The head starts with differences of these projections between the two faces, in pairs of
    opposite sign again; a sum over |w (u_i - u_j)| with random w is in proportion to the distance of u_i and
    u_j. Where h is odd, one unit of each layer stays at 0.
    """
    h = net.pair.out_features
    half = h // 2
    convolution, pair = net.convolution.linear.weight, net.pair.weight
    convolution[half : 2 * half] = -convolution[:half]
    convolution[2 * half :] = 0
    random = torch.randn(half, half) / max(half, 1) ** 0.5
    opposed = torch.cat([random, -random])  # (2 half, half)
    signed = torch.zeros(h, h)
    signed[: 2 * half, : 2 * half] = torch.cat([opposed, -opposed], dim=1)
    pair.copy_(torch.cat([signed, -signed], dim=1))
    net.pair.bias.zero_()
    net.verdict.weight.copy_(torch.tensor([[1.0], [-1.0]]).expand(2, h) / h)
    net.verdict.bias.zero_()


@torch.no_grad()
def calibrate(net: StarFCNet, subgraph: FeatureSubgraph, seed: int) -> None:
    """Scales the logits so that they are probabilities on these links, by logistic regression."""
    drawn = np.random.default_rng([seed, len(subgraph.one)]).permutation(len(subgraph.one))[:CALIBRATED]
    part = torch.from_numpy(drawn)
    same = subgraph.same[part].numpy()
    if len(np.unique(same)) < 2:
        return
    x = net.faces(subgraph.features, subgraph.average)
    logits = net.judged(x, subgraph.one[part], subgraph.other[part]).double()
    score = (logits[:, 1] - logits[:, 0]).numpy()
    spread = max(float(score.std()), 1e-12)
    fitted = LogisticRegression().fit((score / spread)[:, None], same)
    net.verdict.weight.mul_(float(fitted.coef_[0, 0]) / spread)
    net.verdict.bias.copy_(torch.tensor([-0.5, 0.5]) * float(fitted.intercept_[0]))
