import numpy as np
import pytest
from scipy.stats import norm

from personae import FaceSet, knn_graph
from personae.link import Sample, strangers_of
from personae.link.strangers import bell_floor


def slow_strangers(features, sample, side, labels):
    """One face at a time, as the docstring of `strangers_of` says."""
    level, spread = [], []
    for i, face in enumerate(features.astype(np.float64)):
        cosines = sorted(
            face @ row
            for row, j in zip(sample.features, sample.face, strict=True)
            if j != i and (labels is None or j < 0 or labels[j] != labels[i])
        )
        if not cosines:
            level.append(np.nan)
            spread.append(np.nan)
            continue
        at = lambda width: np.log(max(1 - cosines[round(norm.cdf(width) * (len(cosines) - 1))], 1e-6))  # noqa: B023
        near, far = at(0) - at(1), at(-2) - at(-1)
        level.append(at(0) if side == "near" else at(-1) - far)
        spread.append(near if side == "near" else far)
    level, spread = np.array(level), np.array(spread)
    known = np.isfinite(level) & (spread > 1e-6)
    return np.where(known, level, np.median(level[known])), np.where(known, spread, np.median(spread[known]))


@pytest.mark.parametrize("side", ["near", "far"])
@pytest.mark.parametrize("known_people", [False, True])
@pytest.mark.parametrize("size", [25, 1000])
def test_level_and_spread_are_those_of_the_definition(planted, side, known_people, size):
    sample = Sample.among(planted.features, knn_graph(planted, 10), size) | Sample.elsewhere(np.eye(64)[:5])
    labels = planted.truth if known_people else None
    found = strangers_of(planted.features, sample, side=side, labels=labels)
    level, spread = slow_strangers(planted.features, sample, side, labels)
    np.testing.assert_allclose(found.level, level, atol=1e-6)
    np.testing.assert_allclose(found.spread, spread, atol=1e-6)


def test_a_link_is_one_that_strangers_would_not_reach(planted):
    graph = knn_graph(planted, 12)
    strangers = strangers_of(planted.features, Sample.among(planted.features, graph, 1000), side="far")
    floor = bell_floor(0.01, len(planted))
    assert floor == norm.isf(0.01 / len(planted))
    linked = strangers.link(graph, floor)
    assert strangers.count(graph, floor) == (linked.neighbors >= 0).sum() > 0
    for i in range(0, len(planted), 7):
        for rank, j in enumerate(graph.neighbors[i]):
            depth = np.log(1 - float(graph.similarities[i, rank]))
            z = np.mean([(strangers.level[f] - depth) / strangers.spread[f] for f in (i, j)])
            assert (linked.neighbors[i, rank] == j) == (z > floor)
            weight = min(z - floor, 20) + 0.5 if z > floor else 0
            assert linked.similarities[i, rank] == pytest.approx(weight, abs=1e-5)


def test_the_sample_does_not_depend_on_the_order_of_the_faces(planted):
    order = np.random.default_rng(5).permutation(len(planted))
    mixed = planted.take(order)
    sample = Sample.among(planted.features, knn_graph(planted, 10), 40)
    again = Sample.among(mixed.features, knn_graph(mixed, 10), 40)
    assert (order[again.face] == sample.face).all()


def test_a_face_without_strangers_has_no_links():
    faces = FaceSet.of([[1.0, 0.0]])
    graph = knn_graph(faces)
    sample = Sample.among(faces.features, graph, 9)
    assert strangers_of(faces.features, sample, side="near").link(graph, 2.5).k == 0
