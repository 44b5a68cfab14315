import importlib.util

import numpy as np
import pytest

from personae import FaceMap, knn_graph
from personae.clustering import map_equation as clusterer
from personae.clustering.map_equation import MapEquation
from personae.errors import InputError, MissingExtraError
from personae.graph import codelength, directed, undirected
from personae.link.outlier_detection import OutlierDetection


@pytest.mark.parametrize("one_way", [False, True])
def test_facemap_finds_the_partition_of_infomap_or_one_as_short(planted, one_way):
    infomap = pytest.importorskip("infomap")
    graph = knn_graph(planted, 60)
    links = OutlierDetection(20).link(graph)
    matrix = (directed if one_way else undirected)(links)
    flow = "directed" if one_way else "undirected"
    network = infomap.Network.from_scipy_sparse_matrix(matrix, directed=one_way)
    options = infomap.Options(two_level=True, flow_model=flow, seed=100, num_trials=1, silent=True)
    oracle = network.run(options=options).codelength
    theirs, ours = (
        codelength(matrix, FaceMap(60, directed=one_way, search=search).fit_predict(graph), directed=one_way)
        for search in ("infomap", "own")
    )
    assert theirs == pytest.approx(oracle, rel=1e-9)
    assert ours <= 1.005 * oracle


def test_infomap_leaves_faces_without_links_alone(planted):
    pytest.importorskip("infomap")
    graph = knn_graph(planted, 20).at_least(0.5)
    found = MapEquation(search="infomap").cluster(graph)
    lone = np.flatnonzero(np.diff(undirected(graph).indptr) == 0)
    assert len(lone)
    assert (np.bincount(found)[found[lone]] == 1).all()
    nobody = MapEquation(search="infomap").cluster(graph.at_least(2.0))
    assert (nobody == np.arange(len(planted))).all()


def test_without_infomap_one_line_says_how_to_get_it(planted, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(clusterer, "find_spec", lambda name: None if name == "infomap" else found(name))
    with pytest.raises(MissingExtraError, match=r"pip install 'personae\[infomap\]'"):
        FaceMap(20, search="infomap").fit_predict(planted)


def test_an_unknown_search_is_refused(planted):
    with pytest.raises(InputError, match="own, infomap"):
        FaceMap(20, search="best").fit_predict(planted)
