"""What holds for every learned method, tried on the smallest one: a cosine with a learned slope."""

import json
import struct
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import nn

from personae import FaceSet, InputError, MissingExtraError, knn_graph
from personae.clustering.decision import Decision
from personae.errors import OutputError
from personae.link import weights
from personae.link.links import Links
from personae.methods.learned import LearnedClusterer
from personae.train.loop import train
from personae.train.plan import Plan
from tests.data.small_faces import room_for
from tests.planted import made_faces


@dataclass(frozen=True)
class SlopeConfig:
    start: float


class Slope:
    def __init__(self, config):
        self.config = config
        self.module = nn.Linear(1, 1)
        nn.init.constant_(self.module.weight, config.start)

    def links(self, faces, graph):
        with torch.no_grad():
            said = self.module(torch.from_numpy(graph.similarities)[..., None]).sigmoid()[..., 0]
        return Links.of(graph.linked(said.numpy()))


@dataclass
class SlopeLesson:
    model: Slope
    exam: object

    @property
    def module(self):
        return self.model.module

    def loss(self, step, device):
        graph = self.exam.graph
        same = self.exam.truth[graph.neighbors] == self.exam.truth[:, None]
        said = self.module(torch.from_numpy(graph.similarities)[..., None])[..., 0]
        return nn.functional.binary_cross_entropy_with_logits(said, torch.from_numpy(same).float())

    def score(self):
        return self.exam.grade(self.model.links(self.exam.faces, self.exam.graph))


class Sloped(LearnedClusterer):
    name = "sloped"
    own = "components"

    def _learn(self, exam, folder, progress):
        model = Slope(SlopeConfig(start=4.0))
        plan = self.plan or Plan(steps=30, learning_rate=1.0, validate_every=10)
        return model, train(SlopeLesson(model, exam), plan, folder=folder, progress=progress)

    def _build(self, config):
        return Slope(SlopeConfig(**config))


@pytest.fixture(scope="module")
def faces():
    return made_faces([12, 8, *[4] * 12, *[1] * 10])


@pytest.fixture(scope="module")
def fitted(faces):
    return Sloped(k=20).fit(faces)


def test_it_finds_the_people_among_new_faces(fitted):
    new = made_faces([9, *[5] * 8, 1, 1], seed=5)
    labels = fitted.predict(new)
    assert labels.dtype == np.int32
    assert labels.max() + 1 == new.truth.max() + 1
    assert fitted.validation_ > 0.9


def test_it_learns_from_names_as_well_and_from_bare_features(faces, fitted):
    names = [f"person {identity:03d}" for identity in faces.truth]
    again = Sloped(k=20).fit(faces.features, names)
    assert again.decision_ == fitted.decision_


def test_what_is_saved_is_what_is_read(tmp_path, faces, fitted):
    fitted.save(tmp_path / "model.safetensors")
    again = Sloped.read(tmp_path / "model.safetensors")
    assert again.get_params() == fitted.get_params()
    assert again.validation_ == round(fitted.validation_, 4)
    assert (again.predict(faces) == fitted.predict(faces)).all()
    again.save(tmp_path / "copy.safetensors")
    assert (tmp_path / "copy.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_settings_may_be_numbers_of_numpy(tmp_path, faces, fitted):
    Sloped(k=np.int64(20), seed=np.int64(0)).fit(faces, folder=tmp_path).save(tmp_path / "model.safetensors")
    assert Sloped.read(tmp_path / "model.safetensors").get_params() == fitted.get_params()


def test_a_full_disk_leaves_the_old_model_and_says_so(tmp_path, fitted):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    before = path.read_bytes()
    with room_for(100), pytest.raises(OutputError, match=r"cannot write .*model\.safetensors.*make room"):
        fitted.save(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_any_clusterer_can_be_asked_for(faces):
    for clusterer in ("components", "density_tree", "map_equation", "node_intimacy", "propagation"):
        method = Sloped(k=20, clusterer=clusterer).fit(faces)
        assert method.decision_.clusterer == clusterer
        assert len(method.predict(faces)) == len(faces)


def test_a_graph_that_is_there_is_used(faces, fitted):
    graph = knn_graph(faces, 30)
    assert (fitted.predict(faces, graph=graph) == fitted.predict(faces)).all()
    with pytest.raises(InputError, match="the graph is of"):
        fitted.predict(made_faces([3, 3]), graph=graph)


def test_what_is_not_trained_says_so(faces, tmp_path):
    for asked in (lambda: Sloped().predict(faces), lambda: Sloped().save(tmp_path / "model.safetensors")):
        with pytest.raises(NotFittedError, match="call fit"):
            asked()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "come without identities"),
        ([0] * 5, "labels; give one label a face"),
        ("one", "one identity only"),
        ("lone", "have two faces or more"),
        ("unknown", "the truth is -1 for 5 faces; leave out those that nobody knows"),
    ],
)
def test_labels_to_learn_from_are_checked(faces, labels, message):
    n = len(faces)
    if isinstance(labels, str):
        unknown = np.where(np.arange(n) < 5, -1, faces.truth)
        labels = {"one": np.zeros(n, int), "lone": np.arange(n), "unknown": unknown}[labels]
    with pytest.raises(InputError, match=message):
        Sloped(k=20).fit(faces.features, labels)


def test_a_run_of_other_faces_or_settings_is_not_gone_on_with(faces, tmp_path):
    first = Sloped(k=20).fit(faces, folder=tmp_path)
    again = Sloped(k=20, clusterer="map_equation").fit(faces, folder=tmp_path)  # chosen after training
    assert again.looks_ == first.looks_
    shuffled = np.random.default_rng(0).permutation(faces.truth)
    wider = FaceSet.of(np.hstack([faces.features, faces.features]), faces.truth)
    for method, X, y in (
        (Sloped(k=15), faces, None),
        (Sloped(k=20, seed=1), faces, None),
        (Sloped(k=20), faces, shuffled),
        (Sloped(k=20), wider, None),
        (type("Other", (Sloped,), {})(k=20), faces, None),
    ):
        with pytest.raises(InputError, match="is of a run with other faces or settings; remove it or choose"):
            method.fit(X, y, folder=tmp_path)


def test_torch_draws_on_as_if_nothing_had_been_trained(faces):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Sloped(k=20).fit(faces)
    assert torch.equal(torch.rand(3), expected)


def test_wrong_settings_are_named(faces):
    with pytest.raises(InputError, match="no preset is called best; there are paper and general"):
        Sloped(preset="best").fit(faces)
    with pytest.raises(InputError, match="no clusterer of links is called kmeans"):
        Sloped(clusterer="kmeans").fit(faces)


def test_a_clusterer_of_proposals_is_refused_before_anything_is_learned(faces, monkeypatch):
    monkeypatch.setattr(Sloped, "_learn", None)
    for clusterer in ("de_overlap", "suppression"):
        with pytest.raises(InputError, match=f"{clusterer} needs proposals, which Sloped does not make"):
            Sloped(clusterer=clusterer).fit(faces)


def test_a_fit_that_fails_leaves_the_model_that_was_there(faces, monkeypatch):
    def fails(*_):
        raise InputError("no threshold is any good")

    method = Sloped(k=20).fit(faces)
    before = dict(vars(method))
    monkeypatch.setattr(Sloped, "_decide", fails)
    with pytest.raises(InputError, match="no threshold"):
        method.fit(made_faces([6] * 12, seed=3))
    assert vars(method) == before


def test_features_of_another_embedder_are_refused(fitted):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="have 8 values and the model was trained on"):
        fitted.predict(rng.normal(size=(10, 8)))
    crowded = rng.normal(size=(300, fitted.geometry_.dimension)) * 0.1 + 1
    with pytest.raises(InputError, match="another embedder's features"):
        fitted.predict(FaceSet.of(crowded))


def test_a_missing_package_is_named(faces, monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'personae\[learn\]'"):
        Sloped().fit(faces)


def test_there_is_no_pretrained_model_of_an_unknown_embedder():
    with pytest.raises(InputError, match="no Sloped for facenet comes with the package"):
        Sloped.pretrained("facenet")


def corrupted(path, how):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    if how == "truncated":
        path.write_bytes(data[:-4])
    elif how == "foreign":
        path.write_bytes(b"PK\x03\x04 something else entirely" * 20)
    elif how == "empty":
        path.write_bytes(b"")
    else:
        if how == "of another program":
            del header["__metadata__"]["personae"]
        elif how == "damaged header":
            header["__metadata__"]["personae"] = '{"format": 2}'
        elif how == "of another version":
            header["__metadata__"]["personae"] = '{"format": 99}'
        elif how == "other shape":
            header["weight"]["shape"] = [1]
        written = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(written)) + written + body)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", "holds no trained model, or is damaged"),
        ("foreign", "holds no trained model, or is damaged"),
        ("empty", "holds no trained model, or is damaged"),
        ("of another program", "weights of another program"),
        ("of another version", "written by another version"),
        ("damaged header", "damaged header"),
        ("other shape", "does not fit its own description"),
    ],
)
def test_a_file_that_is_no_model_gets_one_clear_line(tmp_path, fitted, how, message):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    corrupted(path, how)
    with pytest.raises(InputError, match=message) as refused:
        Sloped.read(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_model_of_another_method_or_no_file_is_refused(tmp_path, fitted):
    class Other(Sloped):
        name = "other"

    fitted.save(tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"holds a model of sloped, not of other"):
        Other.read(tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="no such file"):
        Sloped.read(tmp_path / "nothing.safetensors")


def test_a_crowd_of_poor_pictures_is_no_person_and_a_large_person_stays_one():
    rng = np.random.default_rng(0)
    poor, person = (
        far * np.eye(64)[at] + 1.1 * rng.normal(size=(200, 64)) / 8 for at, far in ((0, 0.9), (1, 2))
    )
    faces = FaceSet.of(np.vstack([poor, person, rng.normal(size=(2000, 64))]))
    graph = knn_graph(faces, 20)
    method = Sloped(k=20)
    method.model_ = Slope(SlopeConfig(10.0))
    links = method.model_.links(faces, graph)
    of_cosine = 0.45
    tau = float(links.graph.similarities[graph.similarities > of_cosine].min())
    method.decision_ = Decision("map_equation", tau)
    assert np.bincount(method.decision_.people(links)[:200]).max() > 190
    found = method.people(faces, links, graph)
    assert np.bincount(found[:200]).max() < 60
    assert len(np.unique(found[200:400])) == 1
