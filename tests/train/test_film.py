import numpy as np
import pytest
import torch
from torch.nn import functional

from personae import InputError
from personae.link.siamese import SiameseNet
from personae.link.video_transformer import CLIP, TransformerConfig, VideoNet
from personae.train.film import BAD, FilmLesson, PairLesson, beside_averages, out_of_place, unlike
from tests.link.test_video_transformer import made_film, unit


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


def cosines(rows):
    return rows @ rows.T / rows.norm(dim=1).outer(rows.norm(dim=1))


@pytest.mark.parametrize("crowd", [2000, 7])
def test_a_frame_is_out_of_place_where_a_fifth_of_the_others_are_nearer(crowd, monkeypatch):
    monkeypatch.setattr("personae.train.film.CROWD", crowd)
    monkeypatch.setattr("personae.train.film.BLOCK", 5)
    film, _, _ = made_film([3, 1, 5, 2, 4, 6, 1, 8, 2, 3, 3, 4])
    looked_at = range(0, len(film), 1 if crowd > len(film) else 2)
    out = []
    for frame, one in enumerate(film.track.tolist()):
        rest = [at for at in (film.track == one).nonzero()[:, 0].tolist() if at != frame]
        if rest:
            own = functional.cosine_similarity(film.frames[frame], film.frames[rest].sum(dim=0), dim=0)
            others = [film.frames[frame] @ film.means[other] for other in looked_at if other != one]
            out.append(sum(cosine > own for cosine in others) > 0.2 * len(others))
    assert 0 < sum(out) < len(out)
    assert out_of_place(film) == pytest.approx(sum(out) / len(out))


@pytest.mark.parametrize(("out", "share"), [(0.0, 0.0), (BAD / 2, 0.5), (BAD, 1.0), (0.9, 1.0)])
def test_what_was_learned_counts_as_far_as_frames_are_out_of_place(out, share, monkeypatch):
    monkeypatch.setattr("personae.train.film.out_of_place", lambda film: out)
    film, features, held = made_film([4, 2, 5, 3, 1])
    plain = torch.stack([torch.from_numpy(features[held.group == one]).mean(dim=0) for one in range(5)])
    plain, learned = cosines(plain), unit(np.random.default_rng(3), 5, 9)
    found = beside_averages(film, learned)
    weights = share / (1 - cosines(learned)).mean(), (1 - share) / (1 - plain).mean()
    expected = (weights[0] * cosines(learned) + weights[1] * plain) / sum(weights)
    torch.testing.assert_close(found @ found.T, expected)


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
