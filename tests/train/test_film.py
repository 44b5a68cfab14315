import numpy as np
import pytest
import torch

from personae import InputError
from personae.link.siamese import SiameseNet
from personae.link.video_transformer import CLIP, TransformerConfig, VideoNet
from personae.train.film import FilmLesson, PairLesson, unlike
from tests.link.test_video_transformer import made_film


def test_sub_clips_are_parts_of_their_track_and_share_no_frame(monkeypatch):
    monkeypatch.setattr("personae.train.film.WRONG", 0.0)
    film, _, _ = made_film([9, 2, 1, 40, 3])
    lesson = FilmLesson(film, VideoNet(TransformerConfig(6)), seed=0)
    track = torch.arange(5).repeat_interleave(50)
    x, there = lesson.sub_clips(track, np.random.default_rng(0))
    for one, parts, kept in zip(
        track.tolist(), x.unflatten(0, (-1, 2)), there.unflatten(0, (-1, 2)), strict=True
    ):
        own = film.frames[film.begin[one] : film.begin[one] + film.length[one]]
        places = [place_of(part[seen], own) for part, seen in zip(parts, kept, strict=True)]
        assert all(1 <= len(part) <= CLIP for part in places)
        if len(own) > 1:
            assert max(places[0]) < min(places[1])
        if 1 < len(own) <= CLIP:
            assert len(places[0]) + len(places[1]) == len(own)


def place_of(part, track):
    """Where successive frames lie in their track."""
    first = next(at for at in range(len(track)) if torch.equal(track[at : at + len(part)], part))
    return range(first, first + len(part))


def test_tracks_are_taken_for_two_people_where_most_that_overlap_look_as_unlike():
    pairs = [(a, a + 20) for a in range(20)]
    film, _, _ = made_film([3] * 40, apart=pairs)
    known = [float(film.means[a] @ film.means[b]) for a, b in film.apart.triu().nonzero()]
    assert (len(known), sum(cosine < unlike(film) for cosine in known)) == (20, 16)
    film, _, _ = made_film([3] * 40, apart=pairs[:9])
    alike = (film.means @ film.means.T)[~torch.eye(40, dtype=torch.bool)]
    assert (alike < unlike(film)).float().mean() == pytest.approx(0.5, abs=0.01)


def test_the_loss_of_a_step_depends_on_the_step_alone():
    film, _, _ = made_film([6, 3, 8, 2])
    lesson = FilmLesson(film, VideoNet(TransformerConfig(6)), seed=0)
    losses = [lesson.loss(step, "cpu").item() for step in (3, 4, 3)]
    assert losses[0] == losses[2] != losses[1]


def test_tracks_that_overlap_are_told_apart_however_alike_they_look():
    film, _, _ = made_film([4, 4], apart=[(0, 1)])
    free, _, _ = made_film([4, 4])
    assert FilmLesson(film, VideoNet(TransformerConfig(6)), seed=0).loss(0, "cpu").item() > 0.01
    assert FilmLesson(free, VideoNet(TransformerConfig(6)), seed=0).loss(0, "cpu").item() == 0


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
