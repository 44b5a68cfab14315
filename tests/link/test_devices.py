"""A network may be anywhere: what goes in is brought there, and what comes out is brought back.

Torch's device without memory takes every step but the last, which brings numbers back.
"""

import numpy as np
import pytest

from personae import Constraints, knn_graph
from personae.link.balls import BallConfig, BallModel
from personae.link.evidence_net import EvidenceConfig
from personae.link.film import Film
from personae.link.gcn_e_general import GeneralConnectivityConfig, GeneralConnectivityModel
from personae.link.siamese import SiameseNet
from personae.link.star_fc import StarFCConfig, StarFCModel
from personae.link.video_transformer import TransformerConfig, VideoNet, embedded_tracks
from personae.train.film import PairLesson, seen_by
from tests.planted import made_faces

FACES = made_faces([9, 6, 6, 1], d=8)
GRAPH = knn_graph(FACES, 5)


def film():
    tracks = [np.flatnonzero(FACES.truth == person) for person in range(4)]
    return Film.of(FACES.features, Constraints.of(len(FACES), tracks))


def star_fc():
    model = StarFCModel(StarFCConfig(8, 6))
    model.module.to("meta")
    model.links(FACES, GRAPH)


def halves_of_star_fc():
    model = StarFCModel(StarFCConfig(8, 6))
    model.module.to("meta")
    model._halves(np.ones((3, 6), np.float32))


def balls():
    model = BallModel(BallConfig(8))
    model.module.to("meta")
    model.embedded(FACES.features)


def second_network_of_gcn_ve():
    model = GeneralConnectivityModel(GeneralConnectivityConfig(EvidenceConfig()))
    model.connectivity.to("meta")
    model.links(FACES, GRAPH)


def video_transformer():
    embedded_tracks(VideoNet(TransformerConfig(8)).to("meta"), film())


def siamese():
    seen_by(SiameseNet(8).to("meta"), film().frames)


def ranked_pairs():
    PairLesson(film(), SiameseNet(8).to("meta"), "ranked", 0).ranked(np.random.default_rng(0))


@pytest.mark.parametrize(
    "told",
    [
        star_fc,
        halves_of_star_fc,
        balls,
        second_network_of_gcn_ve,
        video_transformer,
        siamese,
        ranked_pairs,
    ],
    ids=lambda told: told.__name__,
)
def test_what_goes_in_is_brought_to_the_network(told):
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        told()
