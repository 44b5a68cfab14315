import pytest

from personae import InputError
from personae.data import read_labels
from personae.data.formats_tracks import read_track_labels

HEAD = "CVHCI_TRACKLABELS_V1\n"


def test_the_label_files_of_ball_cluster_learning_are_read(tmp_path):
    (tmp_path / "episode.ids").write_text(HEAD + "7 ada\n11 bo\n14 unknown_e01_1\n")
    tracks, people = read_track_labels(tmp_path / "episode.ids")
    assert tracks.tolist() == [7, 11, 14]
    assert people.tolist() == ["ada", "bo", "unknown_e01_1"]
    assert read_labels(tmp_path / "episode.ids").tolist() == people.tolist()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("7 ada\n", "does not begin with CVHCI_TRACKLABELS_V1"),
        (HEAD + "ada\n", "line 2: 'ada' is no number of a track"),
        (HEAD + "7\n", "line 2: '7' is no number"),
        (HEAD + "7 ada\n7 bo\n", "names a track twice"),
        (HEAD, "no labels"),
    ],
)
def test_other_files_are_refused(tmp_path, text, says):
    (tmp_path / "episode.ids").write_text(text)
    with pytest.raises(InputError, match=says):
        read_labels(tmp_path / "episode.ids")
