"""Galleries refuse the faces of another embedder, as far as few people can tell."""

import numpy as np
import pytest

from personae import Gallery, InputError, update
from personae.data import SyntheticIdentities, like_dlib, like_sface, synthetic_faces
from tests.planted import made_faces


def test_faces_of_another_embedder_with_as_many_values_are_refused_before_any_is_taken():
    dlib = synthetic_faces(SyntheticIdentities(faces=600, people=200, embedder=like_dlib(), seed=1))
    sface = synthetic_faces(SyntheticIdentities(faces=600, people=200, embedder=like_sface()))
    for own, other, fewest in ((dlib, sface, 1), (sface, dlib, 12)):
        gallery = Gallery.of(own.features[:400])
        for some in (slice(400, 400 + fewest), slice(400, 600)):
            assert len(update(gallery, own.features[some])) > 400
            with pytest.raises(InputError, match="another embedder"):
                update(gallery, other.features[some])
        person = own.truth == np.bincount(own.truth).argmax()
        assert len(update(gallery, own.features[person][:5])) == 405


def test_a_gallery_of_few_people_takes_strangers():
    few, others = made_faces([20, 20, 20], seed=1), made_faces([1] * 5, seed=2)
    assert len(update(Gallery.of(few.features), others.features)) == 65
