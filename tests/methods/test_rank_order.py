from personae import evaluate, knn_graph
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


def test_lists_beyond_t_times_t_less_1_hardly_matter(planted):
    whole, short = RankOrder(k=279).fit_predict(planted), RankOrder(k=200).fit_predict(planted)
    assert evaluate(whole, short).pairwise.f > 0.95
