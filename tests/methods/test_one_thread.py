"""Who multiplies in one thread at the same time as somebody else leaves as many threads as there were."""

from contextlib import ExitStack
from threading import Thread

import numpy as np
import pytest
from sklearn.cluster import KMeans as Lloyd
from sklearn.cluster import SpectralClustering
from threadpoolctl import threadpool_info, threadpool_limits

from personae import KMeans, Spectral, SyntheticIdentities, synthetic_faces
from personae.data.one_loop import ONE
from personae.graph.nearest_point import NearestPoint
from personae.graph.spanning import spanning_tree
from personae.graph.threads import products_alone
from tests.planted import made_faces

FACES = made_faces([8] * 12, d=16)


def nearest(faces):
    NearestPoint(faces.features).take(faces.features[:3], np.arange(3, dtype=np.int32))


def threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.parametrize(
    ("work", "of", "inner"),
    [
        (nearest, NearestPoint, "_take"),
        (KMeans(12).fit, Lloyd, "fit"),
        (Spectral(12).fit, SpectralClustering, "fit"),
    ],
)
def test_another_who_comes_meanwhile_and_leaves_later_changes_nothing(work, of, inner, monkeypatch):
    with threadpool_limits(2, "blas"), ExitStack() as another:
        before, whole = threads(), getattr(of, inner)

        def met(*told, **known):
            another.enter_context(products_alone())
            return whole(*told, **known)

        monkeypatch.setattr(of, inner, met)
        work(FACES)
        assert threads() == {1}
        another.close()
        assert threads() == before == {2}


@pytest.mark.parametrize(
    "work",
    [lambda: synthetic_faces(SyntheticIdentities(60)), lambda: spanning_tree(FACES.features)],
    ids=["faces", "tree"],
)
def test_loops_of_many_threads_wait_for_each_other(work):
    work()  # compiles
    with ONE:
        another = Thread(target=work)
        another.start()
        another.join(0.5)
        assert another.is_alive()
    another.join()
