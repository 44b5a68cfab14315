import pytest

from personae import InputError, evaluate, knn_graph
from personae.clustering import rank_order
from personae.methods.rank_order import RankOrder
from tests.planted import made_faces


def test_planted_people_are_found_and_kept_apart():
    faces = made_faces([20] * 20, spread=0.4, seed=3)
    score = evaluate(faces.truth, RankOrder().fit_predict(faces))
    assert score.pairwise.precision > 0.99
    assert score.bcubed.f > 0.9


def test_a_longer_graph_is_cut_to_k(planted):
    graph = knn_graph(planted, 60)
    assert (RankOrder(k=20).fit_predict(graph) == RankOrder(k=20).fit_predict(planted)).all()


def test_more_faces_than_k_may_tell_what_distance_is_usual(planted):
    expected = rank_order.RankOrder(nearest=9).cluster(knn_graph(planted, 9), 5)
    assert (RankOrder(k=5).fit_predict(planted) == expected).all()
    assert (RankOrder(k=5).fit_predict(knn_graph(planted, 60)) == expected).all()
    with pytest.raises(InputError, match="holds 6 neighbors a face and 9 are asked for"):
        RankOrder(k=5).fit(knn_graph(planted, 6))


def test_lists_beyond_t_times_t_less_1_hardly_matter(planted):
    whole, short = RankOrder(k=279).fit_predict(planted), RankOrder(k=200).fit_predict(planted)
    assert evaluate(whole, short).pairwise.f > 0.95
