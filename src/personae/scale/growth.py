"""Faces added to a collection that was clustered, without clustering it anew."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.clustering.full_lists import crowds_joined, joined_again
from personae.clustering.lone_faces import lone_faces_joined
from personae.clustering.look_alikes import look_alikes_apart, within
from personae.data.faceset import FaceSet
from personae.graph.adjacency import by_similarity
from personae.graph.components import first_seen
from personae.graph.copies import Copies
from personae.graph.grown import grown
from personae.graph.knn_graph import KnnGraph
from personae.graph.map_equation_part import Rest, part_labels
from personae.link.strangers import Strangers, bell_floor
from personae.methods.auto import ALPHA
from personae.methods.estimator import as_faces
from personae.scale.gallery import Drift, Gallery
from personae.scale.names import kept_names
from personae.scale.weights import links_at, lost_links, rest_of


def update(gallery: Gallery, new_features: FaceSet | ArrayLike, *, renew: bool = True) -> Gallery:
    """The gallery with B more faces behind its N; people keep their ids, and the gallery given is not changed.

    new_features: a FaceSet or (B, d) embeddings of the same model
    renew:        whether all faces are looked at again where the drift says that this is worth it; without it
                  every call is short, and `gallery.renewed()` does it when there is time

    A copy of a face (`personae.graph.copies`) is who that is, and changes nothing else. All other new faces are
    compared with those that are there, and measured against the strangers of the last look. People who
    gain or lose a link are found again together with the new faces, by the map equation of the whole, in which
    everybody else stays (`personae.graph.map_equation_part`). A new look at all comes after a quarter
    more faces, so that its cost for each face does not grow with N. What is known of the faces of the gallery
    holds on; what is known of new ones is told by `Gallery.corrected` afterwards.

    4 B N d operations for the search, O(B (sample d + k)) and the links of the people touched; besides that
    some passes over the N k places of the graph, and a copy of the gallery.

    InputError: what `FaceSet.of` refuses, features of another embedder, ids that are there already, or of some
    faces alone.

    >>> faces = np.eye(3)[[0, 0, 1, 1, 2]]
    >>> gallery = update(Gallery.of(faces[:3]), faces[3:])
    >>> len(gallery), gallery.drift.new
    (5, 0)
    """
    faces = as_faces(new_features)
    gallery.refuse_foreign(faces)
    face_ids = gallery.ids_with(faces)
    n, rows = len(gallery.people), faces.features.astype(gallery.features.dtype)
    new, distinct = _told_apart(gallery, rows, half=faces.features.dtype == np.float16)
    longer = replace(
        gallery,
        distinct=np.r_[gallery.distinct, distinct],
        constraints=gallery.constraints.with_free(len(faces)),
        face_ids=face_ids,
    )
    if not len(new):
        return longer
    features = np.concatenate([gallery.features, rows[new]])
    graph = grown(gallery.graph, features, gallery.method.k)
    raw = _measured(gallery, features[n:], graph)
    drift = _drifted(gallery, raw)
    people = np.r_[gallery.people, np.full(len(new), -1, np.int32)]
    longer = replace(longer, features=features, graph=graph, people=people)
    if renew and drift.full_run_is_worth_it:
        return longer.renewed()
    believed = gallery.yardstick.believed(raw)
    strangers = Strangers(
        np.r_[gallery.strangers.level, believed.level], np.r_[gallery.strangers.spread, believed.spread]
    )
    return _settled(gallery, replace(longer, strangers=strangers, drift=drift))


def _told_apart(
    gallery: Gallery, rows: NDArray[np.floating[Any]], half: bool
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Which of B new faces are no copies, rising; and (B,) int32, which distinct face each is, these the last.

    half: whether they came in half precision

    Distinct faces of the gallery stay so where a new face lies between them.
    """
    n = len(gallery.people)
    held = np.concatenate([gallery.features, rows])
    copies = Copies.among(held, gallery.known.with_free(len(rows)), half=half)
    first = np.arange(n, n + len(rows)) if copies is None else copies.first[copies.of[n:]]
    new = np.unique(first[first >= n])
    distinct = np.where(first < n, first, n + np.searchsorted(new, first))
    return new - n, distinct.astype(np.int32)


def _measured(gallery: Gallery, features: NDArray[np.floating[Any]], graph: KnnGraph) -> Strangers:
    """The strangers of the new faces; the person of the nearest old face is left out where that is near."""
    n, yardstick = len(gallery.people), gallery.yardstick
    neighbors, similarities = graph.neighbors[n:], graph.similarities[n:]
    rank = (neighbors < n).argmax(axis=1)
    rows = np.arange(len(features))
    middle = Strangers(np.full(len(graph), yardstick.level), np.full(len(graph), yardstick.spread))
    nearest = neighbors[rows, rank]
    z = middle.widths(rows, nearest[:, None], similarities[rows, rank][:, None])[:, 0]
    near = (z > bell_floor(ALPHA, len(graph))) & (nearest < n)
    person = np.where(near, gallery.people[np.where(near, nearest, 0)], -1).astype(np.int32)
    return yardstick.measured(features, person, gallery.people[yardstick.sample.face])


def _drifted(gallery: Gallery, raw: Strangers) -> Drift:
    """The drift with the new faces in it; the shift is the mean over all that came, batch by batch."""
    before, count = gallery.drift, len(raw.level)
    shift = (gallery.yardstick.level - float(np.median(raw.level))) / gallery.yardstick.spread
    mean = (before.shift * before.new + shift * count) / (before.new + count)
    return Drift(before.faces, before.new + count, mean)


def _settled(before: Gallery, after: Gallery) -> Gallery:
    """`after` with people for its new faces, whose labels are -1; those whose links changed are found anew."""
    n, floor, known = len(before.people), after.floor, after.known
    new = after.people < 0
    inside = _touched(before, after)
    rows = np.flatnonzero(inside)
    old = links_at(before.graph, before.strangers, floor, inside[:n]).softened(known)
    now = links_at(after.graph, after.strangers, floor, inside).softened(known)
    strength = before.rest.strength - old.strength + now.strength
    others = before.rest.leaving - old.leaving(before.people, inside[:n])
    links, outwards = now.between(rows, len(after.people))
    rest = Rest(strength - float(links.sum()) - float(outwards.sum()), others)
    order = by_similarity(after.graph.similarities[rows])
    start = np.where(new[rows], before.ids + rows, after.people[rows])
    guess = after.people.copy()
    guess[rows] = before.ids + part_labels(links, outwards, rest, start, order, known.take(rows))
    people, looked_at = _set_right(first_seen(guess), after, rows)
    people, ids = kept_names(after.people, people, before.ids)
    if len(looked_at) > len(rows):  # people were joined whose links to each other are in `others`
        return replace(after, people=people, ids=ids, rest=rest_of(after.links(), people))
    return replace(after, people=people, ids=ids, rest=Rest(strength, others + now.leaving(people, inside)))


def _touched(before: Gallery, after: Gallery) -> NDArray[np.bool_]:
    """(N + B,) the new faces, and all faces of people who gained or lost a link by them."""
    new = after.people < 0
    lost = lost_links(before.graph, before.strangers, after.floor, after.graph)
    gained = links_at(after.graph, after.strangers, after.floor, new)
    ends = np.concatenate([lost.face, lost.other, gained.face, gained.other])
    touched = np.zeros(before.ids, dtype=np.bool_)
    touched[before.people[ends[ends < len(before.people)]]] = True
    return np.asarray(new | touched[after.people])


def _set_right(
    labels: NDArray[np.int32], after: Gallery, rows: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The people as `Auto` goes on from its links, where these faces take part; and the faces looked at.

    rows: the faces that were found again, and all others of their groups
    """
    strangers, features, known = after.strangers, after.features, after.known
    joined = joined_again(labels, features, after.graph, strangers, after.floor, known)
    labels = _of_some(labels, joined, rows)
    found_again = np.zeros(labels.max() + 1, np.bool_)
    found_again[labels[rows]] = True
    looked_at = np.flatnonzero(found_again[labels])
    some = first_seen(labels[looked_at]), features[looked_at], within(after.graph, looked_at, labels)
    held = strangers.take(looked_at), after.floors[1:], known.take(looked_at)
    labels[looked_at] = labels.max() + 1 + look_alikes_apart(*some, *held)
    labels = first_seen(labels)
    labels = lone_faces_joined(
        labels, features, after.graph, strangers, after.floor, constraints=known, rows=looked_at
    )
    joined = crowds_joined(labels, features, after.graph, strangers, after.floors[0], known)
    labels = _of_some(labels, joined, looked_at)
    return labels, np.flatnonzero(np.isin(labels, labels[looked_at]))


def _of_some(labels: NDArray[np.int32], joined: NDArray[np.int32], rows: NDArray[np.intp]) -> NDArray[np.int32]:
    """Of the people that were joined only those with faces of `rows`; everybody else stays."""
    theirs = np.zeros(joined.max() + 1, np.bool_)
    theirs[joined[rows]] = True
    return first_seen(np.where(theirs[joined], len(labels) + joined, labels).astype(np.int32))
