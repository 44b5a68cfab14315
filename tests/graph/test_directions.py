import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.graph.directions import mean_directions


@given(faces=st.integers(1, 30), labels=st.integers(1, 6), seed=st.integers(0, 99))
def test_the_mean_of_a_label_has_length_1(faces, labels, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(faces, 5)).astype(np.float32)
    label = np.unique(rng.integers(0, labels, faces), return_inverse=True)[1].astype(np.int32)
    found = mean_directions(x, label)
    for one in range(label.max() + 1):
        mean = x[label == one].astype(float).mean(axis=0)
        np.testing.assert_allclose(found[one], mean / np.linalg.norm(mean), atol=1e-6)


def test_faces_that_cancel_out_have_no_direction():
    found = mean_directions(np.array([[1, 0], [-1, 0], [0, 2]], np.float32), np.array([0, 0, 1], np.int32))
    assert found.tolist() == [[0, 0], [0, 1]]
