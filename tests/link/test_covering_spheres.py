import numpy as np
import pytest
from scipy.optimize import minimize

from personae import InputError, KnnGraph, knn_graph
from personae.link.covering_spheres import CoveringSpheres


def sphere_by_definition(rows, c):
    """The minimal covering sphere with slack, as the dual and with a general solver."""
    gram = rows @ rows.T
    found = minimize(
        lambda a: a @ gram @ a - a @ np.diag(gram),
        np.full(len(rows), 1 / len(rows)),
        jac=lambda a: 2 * gram @ a - np.diag(gram),
        bounds=[(0, c)] * len(rows),
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1, "jac": lambda a: np.ones(len(a))},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return found.x @ rows


@pytest.mark.parametrize("slack", [0.05, 0.3, 0.5, 0.8, 1.0])
def test_centers_are_those_of_a_general_solver(planted, slack):
    graph = knn_graph(planted, 9)
    centers = CoveringSpheres(slack).centers(planted.features, graph)
    for face in range(0, len(planted), 25):
        rows = planted.features[np.r_[face, graph.neighbors[face]]].astype(np.float64)
        expected = sphere_by_definition(rows, 1 / (slack * 10))
        assert np.abs(centers[face] - expected).max() < 1e-3


@pytest.mark.parametrize("slack", [0.3, 0.6])
def test_no_other_sphere_of_the_primal_problem_is_better(planted, slack):
    graph = knn_graph(planted, 7)
    centers = CoveringSpheres(slack).centers(planted.features, graph)
    rng = np.random.default_rng(0)

    def cost(rows, center):
        squared = np.sort(((rows - center) ** 2).sum(axis=1))
        return min(r + np.maximum(squared - r, 0).sum() / (slack * len(rows)) for r in squared)

    for face in range(0, len(planted), 60):
        rows = planted.features[np.r_[face, graph.neighbors[face]]].astype(np.float64)
        best = cost(rows, centers[face])
        for size in (0.003, 0.03, 0.3):
            for _ in range(20):
                moved = centers[face] + size * rng.normal(size=rows.shape[1]) / 8
                assert best <= cost(rows, moved) + 1e-5


def test_without_slack_to_give_the_center_is_the_mean(planted):
    graph = knn_graph(planted, 4)
    centers = CoveringSpheres(1.0).centers(planted.features, graph)
    around = np.concatenate([planted.features[:, None], planted.features[graph.neighbors]], axis=1)
    assert np.abs(centers - around.mean(axis=1)).max() < 1e-6


def test_a_link_weighs_the_cosine_of_the_two_centers(planted):
    graph, spheres = knn_graph(planted, 6), CoveringSpheres(0.4)
    centers = spheres.centers(planted.features, graph).astype(np.float64)
    weights = spheres.link(planted.features, graph).similarities
    for face, rank in [(0, 0), (3, 5), (279, 2)]:
        a, b = centers[face], centers[graph.neighbors[face, rank]]
        assert weights[face, rank] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-6)


def test_where_there_is_no_neighbor_the_face_is_its_own_center():
    graph = KnnGraph(np.array([[1], [-1]], dtype=np.int32), np.array([[0.5], [0]], dtype=np.float32))
    centers = CoveringSpheres(0.5).centers(np.eye(2, dtype=np.float32), graph)
    assert centers.tolist() == [[0.5, 0.5], [0, 1]]
    assert CoveringSpheres(0.5).link(np.eye(2), graph).similarities[1, 0] == 0


@pytest.mark.parametrize("slack", [0, -1, 1.5, np.nan])
def test_a_slack_that_is_no_share_is_refused(slack):
    with pytest.raises(InputError, match="slack"):
        CoveringSpheres(slack).link(np.eye(3), knn_graph(np.eye(3), 2))
