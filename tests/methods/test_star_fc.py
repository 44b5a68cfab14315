"""STAR-FC as an estimator: it learns from some people and finds others."""

from dataclasses import replace

import pytest

from personae import InputError
from personae.methods.star_fc import PAPER, StarFC
from tests.learned import LEARN, OTHERS, trained


def test_the_own_clusterer_of_the_paper_is_node_intimacy():
    assert trained(StarFC, "paper").decision_.clusterer == "node_intimacy"


def test_a_second_training_gives_the_same_links():
    plan = replace(PAPER, steps=4, validate_every=2)
    first, second = (StarFC(k=10, plan=plan).fit(LEARN).links(OTHERS).graph.similarities for _ in range(2))
    assert (first == second).all()


def test_faces_drawn_anywhere_train_too():
    plan = replace(PAPER, steps=2, validate_every=2)
    assert len(StarFC(k=10, plan=plan, sampling="faces").fit(LEARN).predict(OTHERS)) == len(OTHERS)


def test_another_sampling_is_refused():
    with pytest.raises(InputError, match="structure and faces"):
        StarFC(sampling="hubs").fit(LEARN)
