"""The whole evaluation of a clustering: every metric from one pass over the faces."""

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from personae.evaluation.agreement import ari_of
from personae.evaluation.bcubed import bcubed_of
from personae.evaluation.contingency import Contingency, Noise, contingency
from personae.evaluation.identity import cluster_ratio_of, fi_of, singleton_ratio_of
from personae.evaluation.information import Information, information_of
from personae.evaluation.pairwise import pairwise_of
from personae.evaluation.purity import purity_of
from personae.evaluation.score import Score
from personae.evaluation.sizes import SizeBin, by_size_of
from personae.evaluation.splits import mixtures_of, splits_of

THETAS = (0.5, 0.6, 0.7, 0.8, 0.9)  # those of FaceMap's evaluation
SIZE_COLUMNS = ("identities", "pairwise F", "BCubed F", "clusters each")


@dataclass(frozen=True)
class Evaluation:
    """Every metric of one clustering; the functions of the same names say what each one means.

    faces:                 N, scored faces; the sum of the weights if there were any
    coverage:              share of the faces with a truth that were scored, below 1 only with noise="drop"
    unknown:               faces without a truth, left out by ignore_unknown; counted as `faces` are
    identities:            A, people in truth
    clusters:              B, people found, lone faces included (#C, #CI)
    singletons:            clusters of one face
    pairwise, bcubed:      precision, recall and F over pairs and over faces
    information:           NMI in both normalisations, homogeneity, completeness, entropies
    ari:                   adjusted Rand index
    purity:                weighted clustering purity (WCP)
    cluster_ratio:         R#I, percent
    singleton_ratio:       R#S as published tables count, percent
    wrong_singleton_ratio: R#S as the paper's text says, percent
    fi:                    FI(theta) at each theta of `THETAS`
    split_identities:      identities in more than one cluster
    mean_splits:           clusters an identity
    mixed_clusters:        clusters of more than one identity
    mean_mixture:          identities a cluster
    sizes:                 the scores by identity size, smallest first
    """

    faces: int
    coverage: float
    unknown: int
    identities: int
    clusters: int
    singletons: int
    pairwise: Score
    bcubed: Score
    information: Information
    ari: float
    purity: float
    cluster_ratio: float
    singleton_ratio: float
    wrong_singleton_ratio: float
    fi: dict[float, Score]
    split_identities: int
    mean_splits: float
    mixed_clusters: int
    mean_mixture: float
    sizes: tuple[SizeBin, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as dictionaries, lists, strings and numbers, ready for JSON."""
        plain = asdict(self)
        plain["fi"] = {f"{theta:g}": score for theta, score in plain["fi"].items()}
        plain["sizes"] = list(plain["sizes"])
        return plain

    def __repr__(self) -> str:
        return self.table()

    def table(self) -> str:
        """The same as lines of text for a terminal, at most 80 columns wide."""
        parts = (self._counts(), self._scores(), self._single_numbers(), self._by_size())
        return "\n\n".join("\n".join(rows) for rows in parts)

    def _counts(self) -> list[str]:
        unknown = [f"{'faces without a truth':<24}{self.unknown:>14,}   left out"] if self.unknown else []
        return [
            f"{'faces':<24}{self.faces:>14,}   {self.coverage:.1%} of all{' with a truth' if unknown else ''}",
            *unknown,
            f"{'identities':<24}{self.identities:>14,}   {self.split_identities:,} split",
            f"{'clusters':<24}{self.clusters:>14,}   {self.mixed_clusters:,} mixed, {self.singletons:,} of one",
        ]

    def _scores(self) -> list[str]:
        scores = {"pairwise": self.pairwise, "BCubed": self.bcubed}
        scores |= {f"FI({theta:g})": score for theta, score in self.fi.items()}
        heading = f"{'':<24}{'precision':>10}{'recall':>10}{'F':>10}"
        return [heading, *(f"{name:<24}{_columns(score)}" for name, score in scores.items())]

    def _single_numbers(self) -> list[str]:
        told = self.information
        numbers = {
            "NMI, arithmetic (V)": f"{told.nmi_arithmetic:.4f}",
            "NMI, geometric": f"{told.nmi_geometric:.4f}",
            "homogeneity": f"{told.homogeneity:.4f}",
            "completeness": f"{told.completeness:.4f}",
            "adjusted Rand index": f"{self.ari:.4f}",
            "purity (WCP)": f"{self.purity:.4f}",
            "R#I, percent": f"{self.cluster_ratio:.2f}",
            "R#S, percent": f"{self.singleton_ratio:.2f}",
            "R#S, wrong only": f"{self.wrong_singleton_ratio:.2f}",
            "clusters an identity": f"{self.mean_splits:.3f}",
            "identities a cluster": f"{self.mean_mixture:.3f}",
        }
        return [f"{name:<24}{value:>14}" for name, value in numbers.items()]

    def _by_size(self) -> list[str]:
        rows = [
            f"{_span(group):<24}{group.identities:>14,}"
            f"{_pairwise_f(group):>14}{group.bcubed.f:>14.4f}{group.splits:>14.3f}"
            for group in self.sizes
        ]
        return [f"{'faces an identity':<24}" + "".join(f"{name:>14}" for name in SIZE_COLUMNS), *rows]


def evaluate(
    truth: ArrayLike,
    labels: ArrayLike,
    *,
    noise: Noise = "singletons",
    weights: ArrayLike | None = None,
    ignore_unknown: bool = False,
) -> Evaluation:
    """Every metric of the clusters `labels` against the identities `truth`.

    truth, labels, noise, weights, ignore_unknown: see `contingency`, InputError too. 10^7 faces take seconds.

    >>> evaluation = evaluate(["Ada", "Ada", "Bo", "Bo"], [0, 0, 0, 1])
    >>> evaluation.bcubed
    Score(precision=0.667, recall=0.75, f=0.706)
    >>> evaluation.split_identities, evaluation.mixed_clusters
    (1, 1)
    """
    return evaluation_of(
        contingency(truth, labels, noise=noise, weights=weights, ignore_unknown=ignore_unknown)
    )


def evaluation_of(table: Contingency) -> Evaluation:
    """Every metric of a table; see `evaluate`."""
    splits, mixtures = splits_of(table), mixtures_of(table)
    return Evaluation(
        faces=table.faces,
        coverage=table.coverage,
        unknown=table.unknown,
        identities=table.identities,
        clusters=table.clusters,
        singletons=int((table.cluster_sizes == 1).sum()),
        pairwise=pairwise_of(table),
        bcubed=bcubed_of(table),
        information=information_of(table),
        ari=ari_of(table),
        purity=purity_of(table),
        cluster_ratio=cluster_ratio_of(table),
        singleton_ratio=singleton_ratio_of(table),
        wrong_singleton_ratio=singleton_ratio_of(table, count="wrong"),
        fi={theta: fi_of(table, theta=theta) for theta in THETAS},
        split_identities=int((splits > 1).sum()),
        mean_splits=float(splits.mean()),
        mixed_clusters=int((mixtures > 1).sum()),
        mean_mixture=float(mixtures.mean()),
        sizes=by_size_of(table),
    )


def _columns(score: Score) -> str:
    return f"{score.precision:>10.4f}{score.recall:>10.4f}{score.f:>10.4f}"


def _pairwise_f(group: SizeBin) -> str:
    return f"{group.pairwise.f:.4f}" if group.largest > 1 else "-"  # lone faces have no pair to find


def _span(group: SizeBin) -> str:
    same = group.smallest == group.largest
    return f"{group.smallest:,}" if same else f"{group.smallest:,} to {group.largest:,}"
