import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from personae.link.balls import BallConfig, BallModel, BallNet, ball_loss, track_loss


def defined(f, person, b):
    """The loss, a face and a person at a time."""
    centres = {}
    for one in set(person.tolist()):
        mean = f[person == one].mean(axis=0)
        centres[one] = mean / np.linalg.norm(mean)
    same = np.mean([max(0, ((x - centres[p]) ** 2).sum() - b) for x, p in zip(f, person.tolist(), strict=True)])
    nearest = [
        min(((x - centre) ** 2).sum() for other, centre in centres.items() if other != p)
        for x, p in zip(f, person.tolist(), strict=True)
    ]
    return 4 * same + np.mean([max(0, 9 * b + 0.05 - d) for d in nearest])


@given(people=st.integers(2, 5), faces=st.integers(5, 20), b=st.floats(0.01, 0.5), seed=st.integers(0, 999))
def test_the_loss_is_that_of_the_paper(people, faces, b, seed):
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(faces, 6))
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    person = np.concatenate([np.arange(people), rng.integers(0, people, faces - people)])
    found = ball_loss(torch.from_numpy(f), torch.from_numpy(person), torch.tensor(b, dtype=torch.float64))
    assert found.item() == pytest.approx(defined(f, person, b), abs=1e-9)


def test_the_radius_begins_at_the_published_one_and_learns_ten_times_slower():
    net = BallNet(BallConfig(6))
    assert net.b.item() == pytest.approx(np.log1p(np.exp(-1.48)), rel=1e-5)
    h = torch.tensor(-1.48, requires_grad=True)
    functional.softplus(h).backward()
    net.b.backward()
    with torch.no_grad():
        net.slow_h -= 0.5 * net.slow_h.grad
        h -= 0.1 * 0.5 * h.grad
    assert net.b.item() == pytest.approx(functional.softplus(h).item(), rel=1e-6)


def test_at_first_the_embedding_is_the_features():
    x = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    model = BallModel(BallConfig(6))
    np.testing.assert_allclose(model.embedded(x), x, atol=1e-6)
    assert model.tau == pytest.approx(1 - 2 * model.squared_radius)


@given(tracks=st.integers(1, 5), parts=st.integers(5, 20), b=st.floats(0.01, 0.5), seed=st.integers(0, 999))
def test_the_loss_of_tracks_knows_only_the_pairs_it_is_told(tracks, parts, b, seed):
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(parts, 6))
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    track = np.concatenate([np.arange(tracks), rng.integers(0, tracks, parts - tracks)])
    apart = rng.random((tracks, tracks)) < 0.4
    apart = (apart | apart.T) & ~np.eye(tracks, dtype=bool)
    centres = np.array([f[track == one].mean(axis=0) for one in range(tracks)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    pull, push = [], []
    for x, own in zip(f, track.tolist(), strict=True):
        pull.append(max(0, ((x - centres[own]) ** 2).sum() - b))
        others = [((x - centres[other]) ** 2).sum() for other in range(tracks) if apart[own, other]]
        push += [max(0, 9 * b + 0.05 - min(others))] if others else []
    found = track_loss(*map(torch.from_numpy, (f, track, apart)), torch.tensor(b, dtype=torch.float64))
    assert found.item() == pytest.approx(np.mean(pull) + (np.mean(push) if push else 0), abs=1e-9)
