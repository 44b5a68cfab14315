"""GCN-D as an estimator: it learns from some people and finds others."""

from dataclasses import replace

import pytest

from personae import GCND, InputError
from personae.train.gcn_d import PAPER
from tests.learned import LEARN, OTHERS, trained


def test_the_own_clusterer_of_the_paper_takes_overlaps_apart():
    assert trained(GCND, "paper").decision_.clusterer == "de_overlap"
    assert (
        GCND(k=20, plan=replace(PAPER, steps=60, validate_every=60), clusterer="suppression")
        .fit(LEARN)
        .predict(OTHERS)
        .max()
        > 10
    )


def test_the_pool_and_the_turns_are_checked_and_kept():
    with pytest.raises(InputError, match="max, mean, sum"):
        GCND(pool="median").fit(LEARN)
    with pytest.raises(InputError, match="turns is 0"):
        GCND(turns=0).fit(LEARN)
    plan = replace(PAPER, steps=2, validate_every=2)
    config = GCND(k=20, plan=plan, turns=1, pool="mean").fit(LEARN).model_.config
    assert (config.search.turns, config.pool) == (1, "mean")
