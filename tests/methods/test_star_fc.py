"""STAR-FC as an estimator: it learns from some people and finds others."""

import json
from dataclasses import replace

import pytest
import torch

from personae import InputError
from personae.methods.star_fc import PAPER, StarFC
from personae.train.loop import CHECKPOINT
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


def test_the_seed_is_that_of_the_method_beside_a_plan(tmp_path):
    plan = replace(PAPER, steps=2, validate_every=2)
    StarFC(k=10, plan=plan, seed=3).fit(LEARN, folder=tmp_path)
    assert json.loads(torch.load(tmp_path / CHECKPOINT)["plan"])["seed"] == 3
