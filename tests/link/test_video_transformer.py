import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from personae import Constraints, InputError
from personae.link.film import Film
from personae.link.siamese import SiameseNet, contrastive_loss
from personae.link.video_transformer import (
    CLIP,
    TransformerConfig,
    VideoNet,
    centre_loss,
    embedded_tracks,
)


def unit(rng, *shape):
    return functional.normalize(torch.from_numpy(rng.normal(size=shape).astype(np.float32)), dim=-1)


def made_film(lengths, d=6, seed=0, apart=()):
    """Tracks of these lengths, their faces in random places."""
    rng = np.random.default_rng(seed)
    track = rng.permutation(np.repeat(np.arange(len(lengths)), lengths))
    features = unit(rng, len(track), d).numpy()
    groups = [np.flatnonzero(track == one) for one in range(len(lengths))]
    held = Constraints.of(len(track), groups, [[groups[a][0], groups[b][-1]] for a, b in apart])
    return Film.of(features, held), features, held


def trained(d=6):
    """A network that is not at its beginning."""
    torch.manual_seed(0)
    net = VideoNet(TransformerConfig(d, width=8, heads=2, layers=2))
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.3)
    return net.eval()


def test_a_film_holds_its_tracks_in_the_order_of_the_faces():
    film, features, held = made_film([3, 1, 5], apart=[(0, 2)])
    centred = features - features.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    for one in range(len(film)):
        rows = np.flatnonzero(held.group == one)
        here = slice(film.begin[one], film.begin[one] + film.length[one])
        assert film.row[here].tolist() == rows.tolist()
        np.testing.assert_allclose(film.frames[here], centred[rows], atol=1e-6)
        mean = centred[rows].mean(axis=0)
        np.testing.assert_allclose(film.means[one], mean / np.linalg.norm(mean), atol=1e-5)
    assert film.apart.sum() == 2
    a, b = held.group[held.hard[0]]
    assert film.apart[a, b]
    assert film.apart[b, a]


@pytest.mark.parametrize("groups", [[], [[0, 1, 2, 3]]])
def test_faces_that_are_no_tracks_are_refused(groups):
    with pytest.raises(InputError, match="two tracks are needed"):
        Film.of(np.eye(4, dtype=np.float32), Constraints.of(4, groups))


def test_at_first_a_track_is_its_temporal_average():
    film, _, _ = made_film([4, 1, CLIP, 7])
    net = VideoNet(TransformerConfig(6))
    np.testing.assert_allclose(embedded_tracks(net, film), film.means, atol=1e-6)


def slow_net(net, x):
    """One track without padding, a head and a token at a time."""
    width = net.whole.shape[0]
    h = net.enter(x * math.sqrt(x.shape[1]))
    for t in range(len(x)):
        for i in range(width // 2):
            angle = torch.tensor(t * 100 ** (-2 * i / width))
            h[t, 2 * i] += 0.3 * angle.sin()
            h[t, 2 * i + 1] += 0.3 * angle.cos()
    h = torch.cat([net.whole[None], h])
    for layer in net.layers:
        parts = layer.asked(layer.before(h)).reshape(len(h), 3, layer.heads, -1)
        size = parts.shape[-1]
        seen = torch.zeros(len(h), layer.heads, size)
        for head in range(layer.heads):
            query, key, value = parts[:, :, head].unbind(1)
            for token in range(len(h)):
                seen[token, head] = (key @ query[token] / math.sqrt(size)).softmax(0) @ value
        h = h + layer.told(seen.reshape(len(h), width))
        h = h + layer.outer(functional.relu(layer.inner(layer.between(h))))
    h = net.norm(h)
    agree = torch.zeros(len(x))
    for t in range(len(x)):
        others = [x[t] @ x[u] for u in range(len(x)) if u != t]
        agree[t] = sum(others) / max(1, len(others))
    weight = (net.weigh(h[1:])[:, 0] + 40 * net.trust * agree).softmax(0)
    return functional.normalize(weight @ x + net.mend(h[0]), dim=0)


def test_the_network_is_the_definition_whatever_lies_beside():
    film, _, _ = made_film([5, 2, 9, 1])
    net = trained()
    with torch.no_grad():
        found = net(*film.clips(film.begin, film.length))
        for one in range(len(film)):
            x = film.frames[film.begin[one] : film.begin[one] + film.length[one]]
            np.testing.assert_allclose(found[one], slow_net(net, x), atol=1e-5)


def test_a_long_track_is_the_mean_of_its_clips():
    film, _, _ = made_film([2 * CLIP + 3, 2])
    net = trained()
    with torch.no_grad():
        x = film.frames[film.begin[0] : film.begin[0] + film.length[0]]
        cuts = [0, 11, 23, 35]
        parts = torch.stack([slow_net(net, x[a:b]) for a, b in pairwise(cuts)])
    np.testing.assert_allclose(
        embedded_tracks(net, film)[0], functional.normalize(parts.mean(0), dim=0), atol=1e-5
    )


def test_trust_takes_from_the_frames_that_agree():
    rng = np.random.default_rng(0)
    x = functional.normalize(torch.eye(6)[:1] + 0.1 * unit(rng, 5, 6), dim=1)
    x[3] = torch.eye(6)[4]
    net = VideoNet(TransformerConfig(6))
    there = torch.tensor([[True] * 4 + [False]])
    with torch.no_grad():
        average = net(x[None], there)
        net.trust.fill_(1.0)
        trusting = net(x[None], there)
    assert (average @ x[3]).item() > 0.2
    assert (trusting @ x[3]).item() < 0.05


@given(tracks=st.integers(1, 5), clips=st.integers(2, 4), seed=st.integers(0, 99))
def test_the_loss_is_that_of_the_definition(tracks, clips, seed):
    rng = np.random.default_rng(seed)
    z = unit(rng, tracks, clips, 4)
    apart = torch.from_numpy(rng.random((tracks, tracks)) < 0.5)
    centre = [(mean := z[u].mean(0)) / mean.norm() for u in range(tracks)]
    terms = []
    for v in range(tracks):
        for s in range(clips):
            rest = sum(z[v, t] for t in range(clips) if t != s)
            own = math.exp(z[v, s] @ rest / rest.norm() / 0.1)
            others = sum(math.exp(z[v, s] @ centre[u] / 0.1) for u in range(tracks) if u != v and apart[v, u])
            terms.append(-math.log(own / (own + others)))
    assert centre_loss(z, apart, 0.1).item() == pytest.approx(np.mean(terms), rel=1e-3, abs=1e-5)


def test_pairs_of_one_person_are_drawn_near_and_others_pushed_to_the_margin():
    one = torch.tensor([[1.0, 0], [1.0, 0], [1.0, 0]])
    other = torch.tensor([[0.0, 1], [0.6, 0.8], [0.0, 1]])
    loss = contrastive_loss(one, other, torch.tensor([True, False, False]))
    assert loss.item() == pytest.approx((2 + (math.sqrt(2) - math.sqrt(0.8)) ** 2 + 0) / 3)
    x = unit(np.random.default_rng(0), 5, 4)
    np.testing.assert_allclose(SiameseNet(4)(x).detach(), x, atol=1e-6)
