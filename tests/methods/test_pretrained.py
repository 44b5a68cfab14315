"""The models that come with the package."""

import numpy as np
import pytest

from personae import InputError, evaluate, knn_graph
from personae.clustering.decision import CLUSTERERS
from personae.data import SyntheticIdentities, synthetic_faces
from personae.data.synthetic_embedder import like_dlib, like_sface
from personae.methods import LEARNED

EMBEDDERS = {"sface": like_sface, "dlib": like_dlib}


@pytest.fixture(scope="module", params=EMBEDDERS)
def made(request):
    """Its name, and 1,000 faces with the geometry of an embedder."""
    identities = SyntheticIdentities(faces=1000, people=270, embedder=EMBEDDERS[request.param]())
    return request.param, synthetic_faces(identities)


@pytest.mark.parametrize("name", LEARNED)
def test_a_model_for_each_embedder_finds_people(name, made):
    embedder, faces = made
    method = LEARNED[name].pretrained(embedder)
    assert method.decision_.clusterer in CLUSTERERS
    assert method.validation_ > 0.89
    links = method.links(faces)
    assert ((links.graph.similarities >= 0) & (links.graph.similarities <= 1)).all()
    assert evaluate(faces.truth, method.predict(faces, graph=knn_graph(faces, method.k))).bcubed.f > 0.8


@pytest.mark.parametrize("name", LEARNED)
def test_features_of_another_embedder_are_refused(name, made):
    embedder, faces = made
    other = next(one for one in EMBEDDERS if one != embedder)
    with pytest.raises(InputError):
        LEARNED[name].pretrained(other).predict(faces)
    with pytest.raises(InputError):
        LEARNED[name].pretrained(embedder).predict(np.ones((5, 3)))


def test_an_embedder_without_a_model_is_named_with_those_that_have_one():
    with pytest.raises(InputError, match="there are: dlib, sface"):
        LEARNED["star_fc"].pretrained("arcface")
