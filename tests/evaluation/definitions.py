"""The metrics as their definitions read, slow and plain: loops over pairs, over faces, over sets."""

from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import log, sqrt

import numpy as np
from hypothesis import strategies as st

from personae.evaluation import Score

partitions = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=30).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


def random_partition(faces, identities, clusters, seed=0):
    """(N,) truth and labels, half of them in the cluster of their identity's number."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(identities, size=faces)
    labels = np.where(generator.random(faces) < 0.5, truth, generator.integers(clusters, size=faces))
    return truth, labels


def approx(score, tolerance=1e-12):
    """A score to compare with, equal up to rounding."""
    import pytest

    return pytest.approx((score.precision, score.recall, score.f), abs=tolerance)


def numbers(score):
    return score.precision, score.recall, score.f


def slow_pairwise(truth, labels):
    both = found = true = 0
    for i, j in combinations(range(len(truth)), 2):
        together, alike = labels[i] == labels[j], truth[i] == truth[j]
        both += together and alike
        found += together
        true += alike
    precision = both / found if found else 1.0
    recall = both / true if true else 1.0
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Score(precision, recall, f)


def slow_bcubed(truth, labels):
    precision, recall = [], []
    for a, b in zip(truth, labels, strict=True):
        both = np.sum((truth == a) & (labels == b))
        precision.append(both / np.sum(labels == b))
        recall.append(both / np.sum(truth == a))
    p, r = np.mean(precision), np.mean(recall)
    return Score(p, r, 2 * p * r / (p + r))


def slow_entropy(values):
    return -sum(n / len(values) * log(n / len(values)) for n in Counter(values).values())


def slow_mutual(truth, labels):
    n = len(truth)
    identities, clusters = Counter(truth.tolist()), Counter(labels.tolist())
    cells = Counter(zip(truth.tolist(), labels.tolist(), strict=True))
    return sum(m / n * log(n * m / (identities[a] * clusters[b])) for (a, b), m in cells.items())


def slow_nmi(truth, labels, average):
    h, g = slow_entropy(truth.tolist()), slow_entropy(labels.tolist())
    if h == 0 or g == 0:
        return float(h == g)
    return slow_mutual(truth, labels) / (sqrt(h * g) if average == "geometric" else (h + g) / 2)


def slow_ari(truth, labels):
    total = len(truth) * (len(truth) - 1) // 2
    both = found = true = 0
    for i, j in combinations(range(len(truth)), 2):
        both += labels[i] == labels[j] and truth[i] == truth[j]
        found += labels[i] == labels[j]
        true += truth[i] == truth[j]
    chance = Fraction(int(found) * int(true), total) if total else Fraction(0)
    room = Fraction(int(found) + int(true), 2) - chance
    return float((int(both) - chance) / room) if room else 1.0


def slow_purity(truth, labels):
    return sum(max(Counter(truth[labels == b]).values()) for b in set(labels)) / len(truth)


def members(values):
    return [frozenset(np.flatnonzero(values == value).tolist()) for value in np.unique(values)]


def slow_fi(truth, labels, theta):
    """FI with exact fractions; theta as the decimal number it is written as."""
    theta = Fraction(str(theta))
    identities, clusters = members(truth), members(labels)
    matches = sum(
        Fraction(len(a & b), len(b)) > theta and Fraction(len(a & b), len(a)) > theta
        for a in identities
        for b in clusters
    )
    return Score(
        matches / len(clusters), matches / len(identities), 2 * matches / (len(identities) + len(clusters))
    )
