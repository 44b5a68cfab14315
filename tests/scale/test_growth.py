"""Galleries that grow: what they keep count of is checked against the whole, worked out anew."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae import Auto, Constraints, FaceSet, Gallery, InputError, evaluate, knn_graph, update
from personae.graph.constrained import softened
from personae.scale import Drift
from personae.scale.names import kept_names
from personae.scale.weights import links_at, lost_links, rest_of
from tests.planted import made_faces

SIZES = [30, 20, 20, *[8] * 15, *[3] * 20, *[1] * 60]


@pytest.fixture(scope="module")
def faces():
    return made_faces(SIZES, seed=2)


@pytest.fixture(scope="module")
def begun(faces):
    return Gallery.of(faces.features[:200])


def same_people(one, other):
    return (
        np.unique(one, return_inverse=True)[1][:, None] == np.unique(one, return_inverse=True)[1]
    ).tolist() == (
        np.unique(other, return_inverse=True)[1][:, None] == np.unique(other, return_inverse=True)[1]
    ).tolist()


@given(
    names=st.lists(st.integers(-1, 4), min_size=1, max_size=25),
    found=st.lists(st.integers(0, 9), min_size=25, max_size=25),
)
def test_names_go_to_those_who_share_the_most_faces(names, found):
    found = np.unique(found[: len(names)], return_inverse=True)[1]
    names = np.array(names)
    called, given_then = kept_names(names, found, 5)
    pairs = sorted(
        (-int(((names == name) & (found == person)).sum()), name, person)
        for name in range(5)
        for person in range(found.max() + 1)
    )
    expected = {}
    for common, name, person in pairs:
        if common < 0 and person not in expected and name not in expected.values():
            expected[person] = name
    free = 5
    for person in range(found.max() + 1):
        if person not in expected:
            expected[person] = free
            free += 1
    assert called.tolist() == [expected[person] for person in found]
    assert given_then == free


def test_links_at_some_faces_are_those_of_the_link_model(faces, begun):
    linked = begun.strangers.link(begun.graph, begun.floor)
    inside = np.random.default_rng(0).random(200) < 0.2
    found = links_at(begun.graph, begun.strangers, begun.floor, inside)
    expected = {
        (i, int(j)): float(w)
        for i in range(200)
        for j, w in zip(linked.neighbors[i], linked.similarities[i], strict=True)
        if j >= 0 and (inside[i] or inside[j])
    }
    assert expected
    assert dict(
        zip(zip(found.face.tolist(), found.other.tolist(), strict=True), found.weight.tolist(), strict=True)
    ) == (expected)


def test_lost_links_are_those_that_are_no_longer_there():
    crowd = made_faces([60, 5, 5], seed=1)
    first = Gallery.of(crowd.features[:50], Auto(k=6))
    after = update(first, crowd.features[50:], renew=False)
    floor = -2.0  # every neighbor is linked
    lost = lost_links(first.graph, first.strangers, floor, after.graph)
    before, later = (
        {(i, int(j)) for i in range(50) for j in linked.neighbors[i] if j >= 0}
        for linked in (gallery.strangers.link(gallery.graph, floor) for gallery in (first, after))
    )
    assert set(zip(lost.face.tolist(), lost.other.tolist(), strict=True)) == before - later
    assert before - later


@pytest.mark.parametrize("k", [4, 80])
@pytest.mark.parametrize("batches", [1, 7])
def test_what_is_kept_count_of_is_that_of_the_whole(faces, k, batches):
    gallery = Gallery.of(faces.features[:150], Auto(k=k))
    for batch in np.array_split(faces.features[150:], batches):
        gallery = update(gallery, batch, renew=False)
    whole = knn_graph(faces, k)
    assert (gallery.graph.neighbors == whole.neighbors).all()
    rest = rest_of(gallery.strangers.link(gallery.graph, gallery.floor), gallery.labels)
    np.testing.assert_allclose(gallery.rest, rest, rtol=1e-9)
    assert len(gallery) == len(faces)
    assert gallery.labels.min() >= 0
    assert gallery.labels.max() < gallery.ids


@pytest.mark.parametrize("renew", [True, False])
def test_people_fed_in_batches_are_those_found_at_once(faces, renew):
    gallery = Gallery.of(faces.features[:150])
    for batch in np.array_split(faces.features[150:], 8):
        gallery = update(gallery, batch, renew=renew)
    assert evaluate(faces.truth, gallery.labels).bcubed.f > 0.97


def test_ids_stay_and_people_far_from_the_new_faces_are_not_touched(faces, begun):
    after = update(begun, faces.features[200:240], renew=False)
    assert (after.labels[:200] == begun.labels).mean() > 0.98
    links = after.strangers.link(after.graph, after.floor)
    near = np.unique(links.neighbors[200:][links.neighbors[200:] >= 0])
    touched = np.isin(begun.labels, begun.labels[near[near < 200]])
    assert (after.labels[:200][~touched] == begun.labels[~touched]).all()
    newcomers = after.labels[after.labels >= begun.ids]
    assert len(newcomers)


def test_a_renewed_gallery_has_the_people_of_a_full_run(faces, begun):
    after = update(begun, faces.features[200:], renew=False)
    again = after.renewed()
    full = Auto().fit_predict(faces)
    assert same_people(again.labels, full)
    assert again.drift == Drift(len(faces))
    assert (again.labels == after.labels).mean() > 0.95


def test_all_are_looked_at_again_where_it_is_worth_it(faces, begun):
    assert update(begun, faces.features[200:220]).drift.new == 20
    assert update(begun, faces.features[200:]).drift == Drift(len(faces))
    assert same_people(update(begun, faces.features[200:]).labels, Auto().fit_predict(faces))


def test_the_gallery_given_stays_as_it_is(faces, begun):
    labels, neighbors = begun.labels.copy(), begun.graph.neighbors.copy()
    update(begun, faces.features[200:])
    assert (begun.labels == labels).all()
    assert (begun.graph.neighbors == neighbors).all()


def test_of_faces_that_are_removed_nothing_is_kept(begun):
    removed = np.r_[0:20, 100, 199]
    kept = np.setdiff1d(np.arange(len(begun)), removed)
    fewer = begun.without(removed)
    exact = knn_graph(FaceSet(begun.features[kept]), begun.method.k)
    assert (fewer.graph.neighbors == exact.neighbors).all()
    assert (fewer.graph.similarities == exact.similarities).all()
    assert (fewer.labels == begun.labels[kept]).all()
    sample = fewer.yardstick.sample
    assert (sample.features == fewer.features[sample.face]).all()
    whole = rest_of(fewer.strangers.link(fewer.graph, fewer.floor), fewer.labels)
    assert fewer.rest == whole
    back = update(fewer, begun.features[removed], renew=False)
    order = np.argsort(np.r_[kept, removed])
    assert evaluate(begun.labels, back.labels[order]).bcubed.f > 0.98
    assert back.ids >= begun.ids == fewer.ids
    assert len(begun) == 200


@pytest.fixture(scope="module")
def told(begun, faces):
    """The first person torn apart, the next two joined, soft pairs in the fourth; of the first 200 faces."""
    people = [np.flatnonzero(faces.truth[:200] == person) for person in (0, 1, 2, 3)]
    apart = [[people[0][0], people[0][1]], [people[3][0], people[3][1]], [people[3][0], people[3][2]]]
    return Constraints.of(200, [[people[1][0], people[2][0]]], apart, [1.0, 0.9, 0.5])


def holds(gallery, told):
    a, b = told.hard.T
    tied = [
        np.unique(gallery.labels[: len(told)][told.group == group]) for group in range(told.group.max() + 1)
    ]
    return bool((gallery.labels[a] != gallery.labels[b]).all()) and all(len(people) == 1 for people in tied)


@pytest.mark.parametrize("batches", [1, 7])
@pytest.mark.parametrize("renew", [True, False])
def test_corrections_survive_updates_and_counts_stay_those_of_the_whole(begun, faces, told, batches, renew):
    assert not holds(begun, told)
    gallery = begun.corrected(told)
    assert holds(gallery, told)
    for batch in np.array_split(faces.features[200:], batches):
        gallery = update(gallery, batch, renew=renew)
        assert holds(gallery, told)
    rest = rest_of(
        softened(gallery.strangers.link(gallery.graph, gallery.floor), told.with_free(len(faces) - 200)),
        gallery.labels,
    )
    np.testing.assert_allclose(gallery.rest, rest, rtol=1e-9)
    assert holds(gallery.renewed(), told)


def test_corrections_are_renumbered_saved_and_taken_back(begun, told, tmp_path):
    gallery = begun.corrected(told)
    removed = [0, 1, 2, 150]
    fewer = gallery.without(removed)
    kept = np.setdiff1d(np.arange(200), removed)
    assert (fewer.constraints.group[:, None] == fewer.constraints.group).tolist() == (
        told.group[kept][:, None] == told.group[kept]
    ).tolist()
    assert holds(fewer, fewer.constraints)
    fewer.save(tmp_path / "people.npz")
    again = Gallery.read(tmp_path / "people.npz")
    for name, values in vars(fewer.constraints).items():
        assert (vars(again.constraints)[name] == values).all()
    assert same_people(gallery.corrected(Constraints.of(200)).labels, begun.renewed().labels)
    with pytest.raises(InputError, match="constraints are of 3 faces"):
        begun.corrected(Constraints.of(3))


def test_two_people_stay_two_when_the_face_that_told_them_apart_is_removed(begun):
    a, b, c = np.flatnonzero(begun.labels == np.bincount(begun.labels).argmax())[:3]
    gallery = begun.corrected(Constraints.of(200, together=[[a, b]], apart=[[a, c]]))
    fewer = gallery.without([a]).renewed()
    assert fewer.labels[b - 1] != fewer.labels[c - 1]


def same_galleries(one, other):
    return (one.labels == other.labels).all() and (one.rest, one.drift) == (other.rest, other.drift)


@pytest.mark.parametrize("renew", [True, False])
def test_faces_that_are_there_already_are_who_they_were_and_change_nothing(faces, begun, renew):
    again = begun
    for _ in range(3):
        again = update(again, faces.features[:200], renew=renew)
    assert len(again) == 800
    assert (again.labels == np.tile(begun.labels, 4)).all()
    assert (again.rest, again.drift) == (begun.rest, begun.drift)
    assert same_galleries(update(again.renewed(), faces.features[200:]), update(again, faces.features[200:]))
    assert (again.graph.neighbors == begun.graph.neighbors).all()
    assert (again.renewed().labels[:200] == begun.renewed().labels).all()


def test_only_new_faces_of_a_batch_are_clustered_each_once(faces, begun):
    new = faces.features[200:230]
    batch = np.r_[new, faces.features[:40], new[::-1]]
    after, alone = update(begun, batch, renew=False), update(begun, new, renew=False)
    assert (after.labels == alone.labels[np.r_[0:230, 0:40, 229:199:-1]]).all()
    assert (after.graph.neighbors == alone.graph.neighbors).all()
    assert (after.rest, after.drift, after.ids) == (alone.rest, alone.drift, alone.ids)
    assert (update(after, batch, renew=False).labels == np.r_[after.labels, after.labels[200:]]).all()


def test_a_gallery_begun_with_copies_is_that_of_the_distinct_faces(faces, begun, tmp_path):
    twice = Gallery.of(np.repeat(faces.features[:200], 2, axis=0), Auto(k=np.int64(80)))
    twice.save(tmp_path / "people.npz")
    for held in (twice, Gallery.read(tmp_path / "people.npz")):
        one, other = (update(gallery, faces.features[200:240], renew=False) for gallery in (held, begun))
        assert (one.labels == other.labels[np.r_[np.repeat(np.arange(200), 2), 200:240]]).all()


def test_a_face_is_gone_with_its_last_copy(faces, begun):
    twice = update(begun, faces.features[:200])
    once = twice.without(np.arange(100))
    assert (once.labels == begun.labels[np.r_[100:200, 0:200]]).all()
    assert (once.graph.neighbors == begun.graph.neighbors).all()
    assert (once.renewed().labels == begun.renewed().labels[np.r_[100:200, 0:200]]).all()
    gone = once.without([100])
    assert not np.isclose(gone.features @ faces.features[0], 1).any()
    assert gone.yardstick.sample.face.max() < len(gone.features) == 199
    back = update(gone, faces.features[[0]], renew=False)
    assert back.drift.new == 1
    assert (back.graph.neighbors == knn_graph(FaceSet(back.features), back.method.k).neighbors).all()


def test_copies_that_a_hard_pair_holds_apart_are_two_faces(faces, begun):
    twice = update(begun, faces.features[:200])
    apart = twice.corrected(Constraints.of(400, [[0, 1]], [[0, 200], [1, 201]]))
    assert apart.labels[0] == apart.labels[1]
    assert apart.labels[0] != apart.labels[200]
    assert apart.labels[1] != apart.labels[201]
    assert len(apart.features) > 200
    later = update(apart, faces.features[[0, 5]], renew=False)
    assert (later.labels[:400] == apart.labels).mean() > 0.99
    assert later.labels[401] == later.labels[5]
    assert later.labels[0] != later.labels[200]
    assert same_people(later.corrected(Constraints.of(402)).labels[:200], begun.labels)
    assert len(later.corrected(Constraints.of(402)).features) == 200


def test_a_gallery_written_before_copies_counted_once_is_read(faces, begun, tmp_path):
    place = tmp_path / "people.npz"
    begun.save(place)
    with np.load(place) as held:
        parts = dict(held)
    parts["labels"] = parts.pop("people")
    del parts["distinct"]
    about = json.loads(str(parts["about"]))
    about |= {"version": 2, "floors": about["floors"][1:]}
    np.savez(place, **{**parts, "about": json.dumps(about)})
    assert same_galleries(*(update(held, faces.features[200:]) for held in (Gallery.read(place), begun)))


@pytest.mark.parametrize("wrong", [[], [-1], [10**6], [0.5], [[0]]])
def test_faces_that_are_not_there_cannot_be_removed(begun, wrong):
    with pytest.raises(InputError, match="faces to remove"):
        begun.without(wrong)


def test_somebody_needs_to_be_left(begun):
    with pytest.raises(InputError, match="nobody is left"):
        begun.without(np.arange(len(begun)))
    assert len(begun.without(np.arange(len(begun) - 1))) == 1


def test_one_face_is_enough_to_begin_and_to_add():
    gallery = Gallery.of([[1.0, 0.0]])
    for _ in range(3):
        gallery = update(gallery, [[1.0, 0.0]])
    assert len(gallery) == 4


def test_a_gallery_reads_back_and_goes_on_as_before(faces, begun, tmp_path):
    method = Auto(k=20, strangers=made_faces([1] * 40, seed=9).features)
    gallery = Gallery.of(faces.features[:200], method)
    gallery.save(tmp_path / "people.npz")
    again = Gallery.read(tmp_path / "people.npz")
    assert again.drift == gallery.drift
    assert again.rest == gallery.rest
    for renew in (True, False):
        one, other = (update(held, faces.features[200:], renew=renew) for held in (gallery, again))
        assert (one.labels == other.labels).all()
    assert [path.name for path in tmp_path.iterdir()] == ["people.npz"]


def test_what_is_no_gallery_is_refused(begun, tmp_path, planted):
    place = tmp_path / "people.npz"
    with pytest.raises(InputError, match="no such file"):
        Gallery.read(place)
    with pytest.raises(InputError, match=r"\.npz"):
        begun.save(tmp_path / "people.txt")
    begun.save(place)
    whole = place.read_bytes()
    for damaged in (b"", b"nothing", whole[: len(whole) // 2], whole[:-30]):
        place.write_bytes(damaged)
        with pytest.raises(InputError, match=r"people\.npz"):
            Gallery.read(place)
    begun.save(place)
    with np.load(place) as held:
        parts = dict(held)
    changes = {
        "people": parts["people"] + 1000,
        "distinct": parts["distinct"] + 1,
        "sampled": parts["sampled"] + 900,
        "level": parts["level"][:-1],
        "group": parts["group"] + 1000,
    }
    for name, values in changes.items():
        np.savez(place, **{**parts, name: values})
        with pytest.raises(InputError, match="damaged"):
            Gallery.read(place)
    np.savez(place, X=np.eye(3))
    with pytest.raises(InputError, match="no gallery"):
        Gallery.read(place)


def test_faces_of_another_model_are_refused(begun):
    with pytest.raises(InputError, match="3 values"):
        update(begun, np.eye(3))
    with pytest.raises(InputError, match="NaN"):
        update(begun, np.full((1, 64), np.nan))


@pytest.mark.data
def test_a_collection_fed_in_batches_is_within_a_point_of_a_full_run(shared):
    held = np.load(shared / "data" / "lfw.dlib.npz")
    rows = np.random.default_rng(1).permutation(len(held["X"]))[:1200]
    faces = FaceSet.of(held["X"][rows], held["y"][rows])
    gallery = Gallery.of(faces.features[:200])
    for batch in np.array_split(faces.features[200:], 8):
        gallery = update(gallery, batch)
    full = evaluate(faces.truth, Auto().fit_predict(faces))
    found = evaluate(faces.truth, gallery.labels)
    assert found.bcubed.f > full.bcubed.f - 0.01
    assert found.pairwise.f > full.pairwise.f - 0.01


def test_a_gallery_is_shown_in_a_line():
    told = repr(Gallery.of(made_faces([20, 20, 1])))
    assert told.startswith("Gallery(41 faces: ")
    assert "lone face" in told
    assert "\n" not in told
