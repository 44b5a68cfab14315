import math
import tracemalloc
from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from personae.data import (
    SyntheticEmbedder,
    SyntheticIdentities,
    like_dlib,
    like_sface,
    read_faces,
    synthetic_faces,
    write_synthetic_faces,
)
from personae.data.synthetic import layout_of
from personae.data.synthetic_embedder import geometry_of
from personae.errors import InputError, OutputError
from personae.evaluation import bcubed, pairwise
from personae.graph import canonical_order, component_labels, knn_graph, map_equation_labels, undirected
from tests.data.small_faces import room_for

TIGHT = SyntheticEmbedder(64, offset=0.1, likeness=0.9, person_spread=0, face_spread=0)
CLEAN = SyntheticIdentities(
    faces=1000, people=50, sizes="balanced", families=0, low_quality=0, bursts=0, label_noise=0, embedder=TIGHT
)
SMALL = SyntheticIdentities(faces=900, people=200, bursts=0.05, families=0.3, low_quality=0.1, label_noise=0.1)


def products(features):
    return features.astype(np.float64) @ features.astype(np.float64).T


def centres_of(made):
    """(C, d) unit means of the faces of each person, by truth."""
    faces = synthetic_faces(made)
    sums = np.zeros((faces.truth.max() + 1, faces.dimension))
    np.add.at(sums, faces.truth, faces.features)
    return sums / np.linalg.norm(sums, axis=1, keepdims=True)


@given(st.integers(1, 3000), st.integers(1, 400), st.floats(0, 1), st.sampled_from(["long-tailed", "balanced"]))
def test_sizes_add_up_and_the_share_of_singles_is_exact(faces, people, singles, sizes):
    lone = round(people * singles)
    assume(people - lone > 0 and faces - lone >= 2 * (people - lone))
    counts = SyntheticIdentities(faces=faces, people=people, singles=singles, sizes=sizes).faces_of_each()
    assert counts.sum() == faces
    assert len(counts) == people
    assert (counts == 1).sum() == lone
    assert counts.min() >= 1
    assert (np.diff(counts) <= 0).all()


@given(st.integers(1, 5000), st.sampled_from(["long-tailed", "balanced"]))
def test_any_number_of_faces_can_be_shared_out_by_default(faces, sizes):
    assert SyntheticIdentities(faces=faces, sizes=sizes).faces_of_each().sum() == faces


def test_the_long_tail_is_that_of_lfw():
    counts = SyntheticIdentities(faces=13_233, people=5_749).faces_of_each()
    assert (counts == 1).sum() == 4_069
    assert counts[0] == pytest.approx(530, rel=0.1)
    for least, people in ((10, 158), (20, 62), (50, 12), (100, 5)):
        assert (counts >= least).sum() == pytest.approx(people, rel=0.25), least


def test_balanced_people_differ_by_one_face_at_most():
    counts = SyntheticIdentities(faces=1003, people=50, sizes="balanced").faces_of_each()
    assert set(counts) == {20, 21}


def test_sizes_can_be_written_out():
    sizes = (3, 7, 1, 9)
    made = replace(CLEAN, faces=20, people=None, sizes=sizes)
    assert tuple(np.bincount(synthetic_faces(made).truth)) == sizes


@pytest.mark.parametrize("embedder", [like_sface(), like_dlib(), like_sface(256), TIGHT])
def test_rows_are_unit_and_labels_count_what_the_sizes_say(embedder):
    made = replace(SMALL, embedder=embedder)
    faces = synthetic_faces(made)
    assert faces.features.dtype == np.float32
    assert np.abs(np.linalg.norm(faces.features, axis=1) - 1).max() < 1e-5
    assert (np.bincount(faces.truth) == made.faces_of_each()).all()


@pytest.mark.parametrize("made", [SMALL, replace(SMALL, embedder=SyntheticEmbedder(5, modes=1, breadth=0.5))])
def test_faces_are_those_of_the_formula(made):
    faces, layout = synthetic_faces(made), layout_of(made)
    shown = layout.slots.shown
    strange, swapped = shown >= 200, (shown < 200) & (shown != np.sort(layout.truth))
    kinds = (strange, swapped, layout.slots.low, layout.slots.leader != np.arange(900))
    kin = np.isin(shown, np.flatnonzero(layout.slots.family >= 0))
    for kind in (*kinds, kin, ~kin & ~np.any(kinds, axis=0)):
        for slot in np.flatnonzero(kind)[:5]:
            row = np.flatnonzero(layout.order == slot)[0]
            assert faces.features[row] == pytest.approx(plain_face(made, layout, slot), abs=2e-6)


def plain_face(made, layout, slot):
    """One face by the formula of the module, with whole numbers of Python and float64."""
    embedder, slots, geometry = made.embedder, layout.slots, geometry_of(made.embedder, made.seed)
    d, leader, two64 = embedder.dimension, int(slots.leader[slot]), 1 << 64
    slot, person = int(slot), int(slots.shown[leader])

    def mixed(bits):
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 % two64
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB % two64
        return bits ^ (bits >> 31)

    def random_bits(purpose, number, at):
        golden = 0x9E3779B97F4A7C15
        stream = mixed((mixed((made.seed + golden * (purpose + 1)) % two64) + golden * (number + 1)) % two64)
        return mixed((stream + golden * (at + 1)) % two64)

    def uniform(purpose, number, at):
        return ((random_bits(purpose, number, at) >> 11) + 0.5) / 2**53

    def vector(purpose, number):
        drawn = [random_bits(purpose, number, axis) for axis in range(d)]
        sums = np.array([sum(bits >> shift & 0xFFFF for shift in (0, 16, 32, 48)) for bits in drawn])
        return (sums - 2 * 65_535) / math.sqrt((2**32 - 1) / 3)

    centre = vector(0, person)
    family = slots.family[person] if person < len(slots.family) else -1
    if family >= 0:
        kinship = 0.3 + 0.6 * uniform(5, int(family), d)
        centre = math.sqrt(1 - kinship) * centre + math.sqrt(kinship) * vector(5, int(family))
    place, one = math.modf(uniform(2, leader, 1) * embedder.modes)
    other = (one + 1 + int(uniform(2, leader, 2) * (embedder.modes - 1))) % embedder.modes
    first, second = (vector(4, int(person * embedder.modes + mode)) for mode in (one, other))
    blend = math.sqrt(1 - place) * first + math.sqrt(place) * second
    normal = math.sqrt(-2 * math.log(uniform(1, person, 0))) * math.cos(2 * math.pi * uniform(1, person, 1))
    far = -math.log(uniform(2, leader, 0)) - math.log(2)
    alike = (embedder.likeness - embedder.offset) / (1 - embedder.offset)
    spread = math.sqrt(1 / alike - 1) * math.exp(embedder.person_spread * normal + embedder.face_spread * far)
    spread *= 1.5 if slots.low[leader] else 1
    share = embedder.mode_share
    noise = geometry.noise * (math.sqrt(share) * blend + math.sqrt(1 - share) * vector(3, leader))
    x = geometry.centre * centre + spread * noise
    if slots.low[leader]:
        x = x + 0.7 * np.linalg.norm(x) * geometry.blur
    x = math.sqrt(embedder.offset) * geometry.common + math.sqrt(1 - embedder.offset) * x / np.linalg.norm(x)
    if leader != slot:
        x = x + math.sqrt(1 - embedder.offset) * 0.06 * geometry.noise * vector(6, slot)
    return x / np.linalg.norm(x)


@pytest.mark.parametrize("dimension", [64, 128, 512])
@pytest.mark.parametrize("like", [like_sface, like_dlib])
def test_presets_have_the_cosines_they_promise(like, dimension):
    embedder = like(dimension)
    faces = synthetic_faces(SyntheticIdentities(faces=1000, people=100, sizes="balanced", embedder=embedder))
    cosines, same = products(faces.features), faces.truth[:, None] == faces.truth
    off = ~np.eye(1000, dtype=bool)
    assert cosines[~same].mean() == pytest.approx(embedder.offset, abs=0.03)
    assert np.median(cosines[same & off]) == pytest.approx(embedder.likeness, abs=0.05)


def test_the_spectrum_decides_how_far_two_people_may_be_alike():
    wide, narrow = (
        products(centres_of(replace(CLEAN, embedder=replace(TIGHT, decay=decay))))[np.triu_indices(50, 1)].std()
        for decay in (0.1, 1.5)
    )
    assert narrow > 2 * wide


def test_spread_differs_between_people_and_between_faces():
    def variation(embedder):
        faces = synthetic_faces(replace(CLEAN, embedder=embedder))
        to_centre = np.sum(faces.features * centres_of(replace(CLEAN, embedder=embedder))[faces.truth], axis=1)
        people = [np.median(to_centre[faces.truth == person]) for person in range(50)]
        return np.std(people), np.std(to_centre - np.array(people)[faces.truth])

    people, within = variation(TIGHT)
    assert variation(replace(TIGHT, person_spread=0.5))[0] > 3 * people
    assert variation(replace(TIGHT, face_spread=0.5))[1] > 3 * within


def test_faces_of_one_sub_centre_are_nearer_to_each_other():
    loose = replace(TIGHT, dimension=256, likeness=0.5)
    flat, hilly = (
        products(synthetic_faces(replace(CLEAN, people=1, embedder=replace(loose, mode_share=share))).features)
        for share in (0.0, 0.6)
    )
    upper = np.triu_indices(1000, 1)
    assert hilly[upper].std() > 2 * flat[upper].std()


def test_exactly_the_share_of_wrong_labels_is_wrong():
    faces = synthetic_faces(replace(CLEAN, label_noise=0.1))
    nearest = products(faces.features)
    np.fill_diagonal(nearest, -1)
    mates = np.array(
        [np.median(row[faces.truth == label]) for row, label in zip(nearest, faces.truth, strict=True)]
    )
    wrong = mates < 0.6
    assert wrong.sum() == 100
    assert (nearest[wrong].max(axis=1) > 0.75).sum() == 30  # these show another of the people


def test_a_near_duplicate_has_cosine_above_99_percent_and_nothing_else_has():
    made = replace(CLEAN, bursts=0.2)
    faces, layout = synthetic_faces(made), layout_of(made)
    leader = layout.slots.leader[layout.order]
    assert (leader != layout.order).sum() == 200
    near = np.triu(products(faces.features) > 0.99, 1)
    assert (near == np.triu(leader[:, None] == leader, 1)).all()
    assert (faces.truth[:, None] == faces.truth)[near].all()


def test_people_of_a_family_are_more_alike_than_strangers():
    made = replace(CLEAN, faces=3000, people=300, families=0.2)
    family = layout_of(made).slots.family
    assert (family >= 0).sum() == 60
    assert np.bincount(family[family >= 0]).min() >= 2
    cosines = products(centres_of(made))
    kin = (family[:, None] == family) & (family >= 0) & ~np.eye(300, dtype=bool)
    strangers = cosines[~kin & ~np.eye(300, dtype=bool)]
    assert cosines[kin].min() > np.median(strangers)
    assert np.median(cosines[kin]) > np.quantile(strangers, 0.999)


@pytest.mark.parametrize("people", [1, 2, 3, 4, 5, 6, 7])
def test_nobody_is_a_family_alone(people):
    family = layout_of(replace(CLEAN, faces=100, people=people, families=1)).slots.family
    assert (family >= 0).sum() == (0 if people == 1 else people)
    assert people == 1 or set(np.bincount(family)) <= {2, 3, 4}


def test_low_quality_faces_are_far_from_their_person_and_alike():
    made = replace(CLEAN, low_quality=0.2)
    faces, layout = synthetic_faces(made), layout_of(made)
    low = layout.slots.low[layout.order]
    assert low.sum() == 200
    cosines, other = products(faces.features), faces.truth[:, None] != faces.truth
    assert cosines[np.ix_(low, low)][other[np.ix_(low, low)]].mean() > 0.3
    assert cosines[np.ix_(~low, ~low)][other[np.ix_(~low, ~low)]].mean() < 0.15
    mates = ~other & ~np.eye(1000, dtype=bool)
    assert cosines[low][mates[low]].mean() < cosines[~low][mates[~low]].mean() - 0.1


def test_a_seed_gives_the_same_faces_and_another_seed_others():
    one, again, other = (synthetic_faces(replace(SMALL, seed=seed)) for seed in (3, 3, 4))
    assert (one.features == again.features).all()
    assert (one.truth == again.truth).all()
    assert np.abs(products(np.vstack([one.features, other.features]))[:900, 900:]).max() < 0.9


def test_threads_change_nothing():
    before = numba.get_num_threads()
    many = synthetic_faces(SMALL).features
    numba.set_num_threads(1)
    try:
        assert (synthetic_faces(SMALL).features == many).all()
    finally:
        numba.set_num_threads(before)


def test_faces_come_in_no_order_of_people():
    truth = synthetic_faces(CLEAN).truth
    assert (truth[1:] == truth[:-1]).mean() < 0.1


@pytest.mark.parametrize("block", [7, 450, 899, 5000])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_file_holds_the_same_faces_for_any_block(tmp_path, block, dtype):
    path = tmp_path / "faces.npy"
    written, memory = write_synthetic_faces(SMALL, path, dtype=dtype, block=block), synthetic_faces(SMALL)
    assert isinstance(written.features, np.memmap)
    assert written.features.dtype == dtype
    for faces in (written, read_faces(path)):
        assert (faces.features == memory.features.astype(dtype)).all()
        assert (faces.truth == memory.truth).all()


def test_writing_needs_little_more_memory_than_a_block(tmp_path):
    made = replace(SMALL, faces=50_000, people=10_000, embedder=like_sface(256))
    write_synthetic_faces(SMALL, tmp_path / "small.npy")  # compiled
    tracemalloc.start()
    try:
        write_synthetic_faces(made, tmp_path / "faces.npy", block=1000)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "faces.npy").stat().st_size > 25_000_000
    assert most < 50_000 * 50 + 1000 * 256 * 6 + 1_500_000


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = tmp_path / "faces.npy"
    path.write_bytes(b"old")
    with room_for(100_000), pytest.raises(OutputError, match="make room"):
        write_synthetic_faces(SMALL, path)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("faces.npy", b"old")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"faces": 0}, "faces is 0"),
        ({"faces": 1.5}, "faces is 1.5"),
        ({"faces": True}, "faces is True"),
        ({"faces": 1 << 31}, "at most 2,147,483,647"),
        ({"people": 0}, "people is 0"),
        ({"people": 1001}, "cannot be shared out"),
        ({"people": 600, "singles": 0.1}, "cannot be shared out"),
        ({"people": 10, "singles": 1.0}, "cannot be shared out"),
        ({"singles": -0.1}, "singles is -0.1"),
        ({"sizes": "zipf"}, "sizes is 'zipf'"),
        ({"sizes": (500, 499), "people": None}, "sizes add up to 999"),
        ({"sizes": (1000, 0), "people": None}, "one face a person at least"),
        ({"sizes": (), "people": None}, "sizes add up to 0"),
        ({"sizes": (500, 500)}, "leave people and singles out"),
        ({"families": 1.1}, "families is 1.1"),
        ({"low_quality": -1}, "low_quality is -1"),
        ({"label_noise": math.nan}, "label_noise is nan"),
        ({"bursts": 2}, "bursts is 2"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1 << 63}, "below 2\\^63"),
    ],
)
def test_a_collection_that_cannot_be_is_refused_in_one_line(changes, said):
    with pytest.raises(InputError, match=said) as refusal:
        replace(CLEAN, **changes)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dimension": 1}, "dimension is 1"),
        ({"modes": 0}, "modes is 0"),
        ({"offset": 1.0}, "offset is 1.0"),
        ({"likeness": 0.05}, "likeness is 0.05 and offset 0.09"),
        ({"mode_share": 1.5}, "mode_share is 1.5"),
        ({"decay": -1}, "decay is -1"),
        ({"breadth": 0}, "breadth is 0"),
        ({"person_spread": math.inf}, "person_spread is inf"),
        ({"face_spread": math.nan}, "face_spread is nan"),
    ],
)
def test_an_embedder_that_cannot_be_is_refused_in_one_line(changes, said):
    with pytest.raises(InputError, match=said) as refusal:
        SyntheticEmbedder(**changes)
    assert "\n" not in str(refusal.value)


def test_more_near_duplicates_than_can_be_are_refused():
    with pytest.raises(InputError, match="only 950 have one to repeat"):
        synthetic_faces(replace(CLEAN, bursts=0.951))
    assert (layout_of(replace(CLEAN, bursts=0.95)).slots.leader == np.repeat(np.arange(0, 1000, 20), 20)).all()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("faces.bin", {}, "unknown suffix '.bin'"),
        ("faces.npy", {"dtype": "float64"}, "dtype is 'float64'"),
        ("faces.npy", {"block": 0}, "block is 0"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_and_nothing_is_left(tmp_path, name, options, said):
    with pytest.raises(InputError, match=said):
        write_synthetic_faces(SMALL, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("embedder", "tau", "floor"), [(like_sface(), 0.5, 0.93), (like_dlib(), 0.945, 0.88)])
def test_the_map_equation_finds_most_of_the_people(embedder, tau, floor):
    faces = synthetic_faces(SyntheticIdentities(faces=3000, embedder=embedder))
    graph = knn_graph(faces, 80)
    labels = map_equation_labels(undirected(graph.at_least(tau)), order=canonical_order(graph))
    assert floor < pairwise(faces.truth, labels).f < 0.995  # neither hopeless nor easy
    assert floor < bcubed(faces.truth, labels).f < 0.995


@pytest.mark.data
@pytest.mark.parametrize(("like", "tau", "near"), [(like_sface, 0.55, 0.02), (like_dlib, 0.955, 0.02)])
def test_real_people_and_made_ones_are_much_alike(shared, like, tau, near):
    real = read_faces(shared / "data" / f"train.{like.__name__.removeprefix('like_')}.npz")
    sizes = tuple(np.bincount(real.truth).tolist())
    made = synthetic_faces(SyntheticIdentities(faces=len(real), sizes=sizes, embedder=like()))
    found = []
    for faces in (real, made):
        graph = knn_graph(faces, 80)
        impostor = np.where(faces.truth[graph.neighbors] == faces.truth[:, None], -1, graph.similarities).max(
            axis=1
        )
        found.append((np.median(impostor), bcubed(faces.truth, component_labels(graph.at_least(tau))).f))
    assert found[0][0] == pytest.approx(found[1][0], abs=near)
    assert found[0][1] == pytest.approx(found[1][1], abs=0.05)
