import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae import InputError, knn_graph
from personae.graph import KnnGraph
from personae.link.pivot_relations import RELATIONS, SIZES, relations
from personae.link.pivot_subgraphs import Neighborhood, PivotSubgraphs
from tests.planted import made_faces

RING = KnnGraph(  # six faces; each lists three others
    np.array([[1, 2, 3], [0, 2, 5], [1, 0, 3], [4, 2, 0], [5, 3, 2], [4, 1, 0]], np.int32),
    np.array([[0.9, 0.8, 0.1]] * 6, np.float32),
)


def members_and_links(subgraphs, b=0):
    rows = range(subgraphs.start[b], subgraphs.start[b + 1])
    faces = [int(subgraphs.faces[row]) for row in rows]
    links = [
        (int(subgraphs.faces[row]), int(subgraphs.faces[other]))
        for row in rows
        for other in subgraphs.others[subgraphs.indptr[row] : subgraphs.indptr[row + 1]]
    ]
    return faces, links


def slow(graph, pivot, shape):
    """The definition with sets."""
    near = lambda face, count: [int(other) for other in graph.neighbors[face, :count] if other >= 0]
    first = near(pivot, shape.first)
    second = {other for face in first for other in near(face, shape.second)} - {pivot}
    inside = set(first) | second | ({pivot} if shape.pivot else set())
    pairs = {(a, b) for a in inside for b in near(a, shape.links) if b in inside}
    return first, inside, pairs | {(b, a) for a, b in pairs}


def test_the_subgraph_of_a_toy_is_the_one_on_paper():
    subgraphs = PivotSubgraphs.of(RING, np.array([0]), Neighborhood(2, 2, 1))
    faces, links = members_and_links(subgraphs)
    # first hop 1, 2; theirs: 0 (the pivot) and 2, 1 and 0: nobody new
    assert faces == [1, 2, 0]
    assert sorted(links) == [(0, 1), (1, 0), (1, 2), (2, 1)]
    faces, links = members_and_links(PivotSubgraphs.of(RING, np.array([3]), Neighborhood(2, 2, 1, pivot=False)))
    # first hop 4, 2; theirs: 5 and 3, 1 and 0. Nearest faces: 4-5, 2-1, 5-4, 1-0, 0-1
    assert faces == [4, 2, 5, 1, 0]
    assert sorted(links) == sorted([(4, 5), (5, 4), (2, 1), (1, 2), (1, 0), (0, 1)])


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    k=st.integers(1, 9),
    first=st.integers(1, 10),
    second=st.integers(0, 6),
    links=st.integers(0, 6),
    pivot=st.booleans(),
)
def test_subgraphs_are_those_of_the_definition(seed, k, first, second, links, pivot):
    rng = np.random.default_rng(seed)
    neighbors = np.array([np.delete(np.arange(20), face)[rng.permutation(19)[:k]] for face in range(20)])
    neighbors[rng.random(neighbors.shape) < 0.1] = -1
    graph = KnnGraph(neighbors.astype(np.int32), np.zeros(neighbors.shape, np.float32))
    shape = Neighborhood(first, second, links, pivot)
    subgraphs = PivotSubgraphs.of(graph, np.arange(20), shape)
    rows = subgraphs.candidate_rows().tolist()
    for b in range(20):
        candidates, inside, pairs = slow(graph, b, shape)
        faces, found = members_and_links(subgraphs, b)
        assert faces[: subgraphs.candidates[b]] == candidates
        assert [int(subgraphs.faces[rows.pop(0)]) for _ in candidates] == candidates
        assert len(faces) == len(inside) and set(faces) == inside
        assert len(found) == len(pairs) and set(found) == pairs


def test_one_face_has_an_empty_subgraph():
    subgraphs = PivotSubgraphs.of(knn_graph([[1.0, 0.0]], 5), np.array([0]), Neighborhood())
    assert len(subgraphs.candidate_rows()) == 0
    assert len(subgraphs.others) == 0


def test_a_shape_without_neighbors_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        Neighborhood(0, 5, 5)


def test_relations_are_those_of_the_definition():
    faces = made_faces([9, 7, 4, *[1] * 30], d=16)
    graph = knn_graph(faces, 20)
    subgraphs = PivotSubgraphs.of(graph, np.array([3, 8, 30]), Neighborhood(6, 3, 2))
    found = relations(faces, graph, subgraphs)
    x = faces.features.astype(np.float64)
    lists = [[face, *graph.neighbors[face].tolist()] for face in range(len(faces))]
    for row, (q, b) in enumerate(zip(subgraphs.faces, subgraphs.pivot_of_row(), strict=True)):
        p = int(subgraphs.pivots[b])
        rank = lambda face, of: lists[of].index(face) if face in lists[of] else 21
        degree = subgraphs.indptr[row + 1] - subgraphs.indptr[row]
        sizes = [min(size, 20) for size in SIZES]
        expected = [
            x[p] @ x[q],
            *np.log1p([rank(q, p), rank(p, q), degree]),
            *(np.mean([x[q] @ x[face] for face in lists[p][1 : size + 1]]) for size in sizes),
            *(len({*lists[p][: size + 1]} & {*lists[q][: size + 1]}) / (size + 1) for size in sizes),
            *(graph.similarities[p, size - 1] for size in sizes),
            *(graph.similarities[q, size - 1] for size in sizes),
        ]
        assert len(expected) == RELATIONS
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_a_rotation_of_the_space_changes_no_relation():
    faces = made_faces([9, 7, 4, *[1] * 30], d=16)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))[0]
    turned = type(faces).of(faces.features @ rotation)
    seen = [
        relations(each, graph, PivotSubgraphs.of(graph, np.arange(50), Neighborhood(6, 3, 2)))
        for each, graph in ((each, knn_graph(each, 20)) for each in (faces, turned))
    ]
    np.testing.assert_allclose(*seen, atol=1e-5)


def test_one_face_stands_to_itself():
    alone = made_faces([1], d=8)
    graph = knn_graph(alone, 5)
    seen = relations(alone, graph, PivotSubgraphs.of(graph, np.array([0]), Neighborhood()))
    assert seen.shape == (1, RELATIONS)
    assert seen[0, 0] == pytest.approx(1)
    assert np.isfinite(seen).all()
