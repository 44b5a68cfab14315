import numpy as np
import pytest
import torch

from personae import InputError
from personae.link.siamese import SiameseNet
from personae.link.video_transformer import CLIP, TransformerConfig, VideoNet
from personae.train.film import SUB_CLIPS, FilmLesson, PairLesson, told_apart
from tests.link.test_video_transformer import made_film, unit


def test_a_sub_clip_is_a_part_of_its_track(monkeypatch):
    monkeypatch.setattr("personae.train.film.WRONG", 0.0)
    film, _, _ = made_film([9, 2, 1, 40])
    lesson = FilmLesson(film, VideoNet(TransformerConfig(6)), seed=0)
    track = torch.arange(4).repeat_interleave(50)
    x, there = lesson.sub_clips(track, np.random.default_rng(0))
    for one, rows, kept in zip(track.tolist(), x, there, strict=True):
        own = film.frames[film.begin[one] : film.begin[one] + film.length[one]]
        count = int(kept.sum())
        assert 1 <= count <= min(CLIP, len(own))
        assert any(torch.equal(own[at : at + count], rows[kept]) for at in range(len(own) - count + 1))


def test_tracks_are_told_from_the_half_that_is_least_alike():
    means = unit(np.random.default_rng(0), 40, 8)
    apart = told_apart(means)
    alike = means @ means.T
    off = ~torch.eye(40, dtype=torch.bool)
    assert apart[off].float().mean() == pytest.approx(0.5, abs=0.01)
    assert alike[apart].max() < alike[off & ~apart].min()
    assert not apart.diagonal().any()


def test_the_loss_of_a_step_depends_on_the_step_alone():
    film, _, _ = made_film([6, 3, 8, 2])
    lesson = FilmLesson(film, VideoNet(TransformerConfig(6)), seed=0)
    losses = [lesson.loss(step, "cpu").item() for step in (3, 4, 3)]
    assert losses[0] == losses[2] != losses[1]
    assert SUB_CLIPS > 1


def test_tsiam_learns_from_pairs_that_are_known():
    film, _, _ = made_film([6, 3, 8, 2], apart=[(0, 1), (2, 3)])
    track = torch.repeat_interleave(torch.arange(4), film.length)
    one, other, same = PairLesson(film, SiameseNet(6), "tracks", 0).of_tracks(np.random.default_rng(0))
    assert (track[one] == track[other])[same].all()
    assert film.apart[track[one], track[other]][~same].all()
    with pytest.raises(InputError, match="no two tracks overlap"):
        PairLesson(made_film([3, 3])[0], SiameseNet(6), "tracks", 0)


def test_ssiam_learns_from_the_hardest_of_the_nearest_and_the_farthest():
    film, _, _ = made_film([10, 10, 10, 10])
    one, other, same = PairLesson(film, SiameseNet(6), "ranked", 0).ranked(np.random.default_rng(0))
    alike = (film.frames @ film.frames.T).fill_diagonal_(torch.nan)
    near, far = alike.nan_to_num(-2).max(dim=1).values, alike.nan_to_num(2).min(dim=1).values
    found = alike[one, other]
    torch.testing.assert_close(found[same].sort().values, near.sort().values[:10])
    torch.testing.assert_close(found[~same].sort().values, far.sort().values[-10:])
