"""On links between real faces: descriptions as short as those that other programs find."""

import numpy as np
import pytest

from personae import read_faces
from personae.clustering.map_equation import MapEquation
from personae.graph import canonical_order, codelength, directed, knn_graph, map_equation_labels, undirected
from personae.link.outlier_detection import OutlierDetection
from tests.networks import of_networkit

pytestmark = pytest.mark.data

SFACE = [("lfw.sface", 0.4), ("train.sface", 0.4)]
DLIB = [("lfw.dlib", 0.9), ("train.dlib", 0.9)]


@pytest.fixture(scope="module")
def real_links(shared):
    """Links of real faces: FaceMap's, and those above a threshold."""

    def made(name, tau):
        graph = knn_graph(read_faces(shared / "data" / f"{name}.npz"), 256)
        return OutlierDetection().link(graph), graph.at_least(tau).where(np.arange(256) < 80)

    return made


@pytest.mark.parametrize(("name", "tau"), [*SFACE, *(pytest.param(*of, marks=pytest.mark.slow) for of in DLIB)])
def test_on_real_links_the_description_is_as_short_as_networkits(real_links, name, tau):
    for links in real_links(name, tau):
        both = undirected(links)
        bits = codelength(both, map_equation_labels(both, order=canonical_order(links)))
        assert bits <= 1.005 * codelength(both, of_networkit(both))


@pytest.mark.slow
@pytest.mark.parametrize("one_way", [False, True])
@pytest.mark.parametrize(("name", "tau"), [*SFACE, *DLIB])
def test_on_real_links_the_description_is_as_short_as_infomaps(real_links, name, tau, one_way):
    pytest.importorskip("infomap")
    for links in real_links(name, tau):
        matrix = (directed if one_way else undirected)(links)
        found = [MapEquation(one_way, search).cluster(links) for search in ("own", "infomap")]
        ours, theirs = (codelength(matrix, labels, directed=one_way) for labels in found)
        assert ours <= 1.005 * theirs
