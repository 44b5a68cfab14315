from dataclasses import replace

import numpy as np
import pytest
import torch

from personae import knn_graph
from personae.graph import first_seen
from personae.link.gcn_d import DetectionConfig, DetectionModel
from personae.link.gcn_ds import HIGH, LOW, DetectionSegmentationModel
from personae.link.gcn_s import SegmentationConfig, SegmentationModel, parted
from personae.link.proposal_search import Search
from personae.link.proposals import Proposals
from tests.planted import made_faces

FACES = made_faces([9, 7, 5, 4, 3, 2, *[1] * 6], d=16, spread=0.5)
GRAPH = knn_graph(FACES, 12)
SEARCH = Search((12,), (0.1, 0.3, 0.5), smallest=2)
SMALL = SegmentationConfig(16, (12, 6))


@pytest.fixture
def detection():
    torch.manual_seed(0)
    model = DetectionModel(DetectionConfig(16, SEARCH, (12, 6)))
    model.module.eval()
    return model


def sets_of(proposals):
    return [set(proposals.members(number).tolist()) for number in range(len(proposals))]


class Knowing(torch.nn.Module):
    """Keeps the faces of the marked one's person."""

    def __init__(self, truth, proposals):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.truth, self.proposals = truth, proposals

    def forward(self, members, average):
        seeds = np.flatnonzero(members[:, 16].numpy())
        person = self.truth[self.proposals.faces]
        wanted = np.repeat(person[seeds], self.proposals.sizes)
        return torch.from_numpy(np.where(person == wanted, 1.0, -1.0))


def test_a_member_is_judged_as_on_the_dense_graph_of_its_proposal(detection):
    model = SegmentationModel(SMALL, detection)
    scene = detection.scene(FACES, GRAPH)
    proposals = SEARCH.proposals(FACES, GRAPH)
    seeds = proposals.offsets[:-1]
    with torch.no_grad():
        found = model.module(*model.batch(scene, proposals, seeds)).numpy()
        for number in range(len(proposals)):
            rows = proposals.members(number)
            a = scene.matrix.toarray()[np.ix_(rows, rows)] + np.eye(len(rows))
            a = torch.from_numpy(a / a.sum(axis=1, keepdims=True)).float()
            mark = np.zeros((len(rows), 1), np.float32)
            mark[0] = 1
            h = torch.from_numpy(np.hstack([FACES.features[rows], mark]))
            for layer in model.module.convolutions:
                h = torch.relu(a @ h @ layer.weight.T)
            expected = model.module.head(h)[:, 0].numpy()
            assert np.allclose(found[seeds[number] : proposals.offsets[number + 1]], expected, atol=1e-5)


def test_relations_are_those_with_the_seed(detection):
    model = SegmentationModel(replace(SMALL, relations=True), detection)
    scene = detection.scene(FACES, GRAPH)
    proposals = SEARCH.proposals(FACES, GRAPH)
    seeds = proposals.offsets[1:] - 1
    members, _ = model.batch(scene, proposals, seeds)
    seed = np.repeat(proposals.faces[seeds], proposals.sizes)
    assert members[:, 16].sum() == len(proposals)
    for at, (face, marked) in enumerate(zip(proposals.faces, seed, strict=True)):
        expected = [face == marked, scene.matrix[face, marked], FACES.features[face] @ FACES.features[marked]]
        assert np.allclose(members[at, 16:], expected, atol=1e-5)


def test_the_hypothesis_that_keeps_most_counts(detection):
    mixed = Proposals.packed(np.repeat([0, 1], [16, 9]), members_of(0, 1, 2, 3), 2)
    model = SegmentationModel(SMALL, detection)
    model.module = Knowing(FACES.truth, mixed)
    kept, cut = parted(mixed, model.kept(detection.scene(FACES, GRAPH), mixed))
    assert sets_of(kept) == [set(members_of(0)), set(members_of(2))]
    assert sets_of(cut) == [set(members_of(1)), set(members_of(3))]


def members_of(*people):
    sizes = np.bincount(FACES.truth)
    order = np.argsort(-sizes, kind="stable")
    return np.concatenate([np.flatnonzero(FACES.truth == order[person]) for person in people])


def test_nothing_is_cut_off_where_everything_is_kept(detection):
    proposals = SEARCH.proposals(FACES, GRAPH)
    kept, cut = parted(proposals, np.ones(len(proposals.faces), bool))
    assert sets_of(kept) == sets_of(proposals)
    assert len(cut) == 0


def test_mixed_proposals_are_cleaned_and_others_left_alone(detection, monkeypatch):
    model = DetectionSegmentationModel(detection, SMALL, last=False)
    scene = detection.scene(FACES, GRAPH)
    proposals = SEARCH.proposals(FACES, GRAPH)
    scores = np.linspace(0, 1, 2 * len(proposals), dtype=np.float32).reshape(-1, 2)
    monkeypatch.setattr(
        detection, "scores", lambda scene, some: scores[: len(some)] if len(some) else scores[:0]
    )
    mixed = (scores[:, 1] >= LOW) & (scores[:, 1] <= HIGH)
    monkeypatch.setattr(
        model.segmentation, "kept", lambda scene, some: np.arange(len(some.faces)) != some.offsets[1]
    )
    rated = model.rated(scene, proposals)
    assert len(rated.proposals) == len(rated.scores)
    found, before = sets_of(rated.proposals), sets_of(proposals)
    assert all(one in found for one, changed in zip(before, mixed, strict=True) if not changed)
    assert rated.scores[-1] == -np.inf
    assert sum(map(len, found)) == sum(map(len, before))


def test_proposals_stay_as_they_are_where_clusters_are_cleaned(detection):
    found = DetectionSegmentationModel(detection, SMALL, last=True).links(FACES, GRAPH)
    alone = detection.links(FACES, GRAPH)
    assert (found.graph.similarities == alone.graph.similarities).all()
    assert sets_of(found.proposals.proposals) == sets_of(alone.proposals.proposals)
    assert (found.proposals.scores == alone.proposals.scores).all()


def test_clusters_are_cleaned_turn_by_turn(detection, monkeypatch):
    model = DetectionSegmentationModel(detection, SMALL, last=True)
    monkeypatch.setattr(detection, "scores", lambda scene, some: np.full((len(some), 2), 0.5, np.float32))

    def kept(scene, some):
        people = FACES.truth[some.faces]
        largest = [
            np.bincount(people[start:stop]).argmax()
            for start, stop in zip(some.offsets, some.offsets[1:], strict=False)
        ]
        return people == np.repeat(largest, some.sizes)

    monkeypatch.setattr(model.segmentation, "kept", kept)
    large = np.bincount(FACES.truth)[FACES.truth] > 2
    labels = np.where(large, 0, 1 + np.arange(len(FACES)))
    expected = np.where(large, FACES.truth, 100 + np.arange(len(FACES)))
    assert (model.refined(detection.scene(FACES, GRAPH), first_seen(labels)) == first_seen(expected)).all()
