import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from personae.graph import codelength, first_seen
from personae.graph.map_equation_part import Rest, part_labels, stand_ins


def people_in_a_row(people, size, seed):
    """Symmetric links: many within each person, a few to the next."""
    rng = np.random.default_rng(seed)
    n = people * size
    person = np.arange(n) // size
    likely = np.where(person[:, None] == person, 0.7, np.where(abs(person[:, None] - person) == 1, 0.06, 0))
    weights = np.triu(rng.random((n, n)) * (rng.random((n, n)) < likely), 1)
    return csr_array(weights + weights.T), person


def split(links, labels, inside):
    """What `part_labels` is told of the faces `inside`, worked out from all links."""
    a, b = links.nonzero()
    weight = links[a, b]
    frozen = ~inside
    leaving = weight[(labels[a] != labels[b]) & frozen[a]].sum()
    outwards = np.array([links[[face]].toarray()[0, frozen].sum() for face in np.flatnonzero(inside)])
    rest = Rest(links[frozen].sum(), leaving)
    return links[inside][:, inside].tocsr(), outwards, rest


@pytest.mark.parametrize("seed", range(5))
def test_codelengths_differ_as_they_do_in_the_whole_graph(seed):
    links, person = people_in_a_row(6, 7, seed)
    inside = person < 3
    rng = np.random.default_rng(seed)
    within, outwards, rest = split(links, person, inside)
    part, apart = stand_ins(within, outwards, rest)
    lengths = []
    for _ in range(6):
        labels = person.copy()
        labels[inside] = 100 + rng.integers(0, 5, inside.sum())
        of_part = np.r_[labels[inside], 200, 201]
        lengths.append((codelength(links, first_seen(labels)), codelength(part, first_seen(of_part))))
    whole, part_alone = np.array(lengths).T
    np.testing.assert_allclose(whole - whole[0], part_alone - part_alone[0], rtol=1e-9, atol=1e-12)
    assert len(apart) == (outwards > 0).sum() + 1


def test_faces_that_are_torn_find_their_people_again_and_nobody_else_is_joined():
    links, person = people_in_a_row(6, 7, 1)
    inside = person < 3
    within, outwards, rest = split(links, person, inside)
    alone = np.arange(inside.sum())
    found = part_labels(within, outwards, rest, alone, alone[::-1])
    assert (found == first_seen(person[inside])).all()


def test_a_part_that_is_the_whole_needs_no_rest():
    links, person = people_in_a_row(4, 6, 2)
    n = len(person)
    found = part_labels(links, np.zeros(n), Rest(0.0, 0.0), np.arange(n), np.arange(n))
    assert (found == person).all()


def test_faces_without_links_stay_alone():
    none = coo_array((3, 3)).tocsr()
    for start in (np.arange(3), np.zeros(3, int)):
        found = part_labels(none, np.zeros(3), Rest(5.0, 1.0), start, np.arange(3))
        assert found.tolist() == [0, 1, 2]
