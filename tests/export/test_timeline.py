import re

import numpy as np
import pytest

from personae.data import FaceSet, Sources
from personae.export import People, write_page
from personae.export.timeline import CELLS, timelines

SPANS = [[0, 5], [5.2, 10], [50, 60], [90, 100], [np.nan, np.nan], [np.nan, np.nan], [3, 3]]
FILES = [0, 0, 0, 0, 1, 1, 2]
LABELS = [0, 0, 1, 0, 0, 1, 1]


@pytest.fixture
def people():
    sources = Sources(
        ("a & b.mp4", "c.jpg", "d.mp4"),
        np.array(FILES, np.int32),
        np.ones((7, 4), np.float32),
        np.ones(7, np.float32),
        np.array(SPANS, np.float64),
    )
    faces = FaceSet.of(np.eye(7), sources=sources)
    return People(faces, np.array(LABELS, np.int32), np.ones(7, np.float32), [b"jpeg"] * 7)


def test_a_strip_shows_when_a_person_is_seen(people):
    (line,) = timelines(people, people.persons[0], "../")
    assert (line.video, line.link) == ("a & b.mp4", "../a%20%26%20b.mp4#t=0.0")
    assert line.words == "from 0:00 to 1:40, 3 times, 20 seconds in all"
    assert line.length == 100
    marked = np.zeros(CELLS, bool)
    for start, width in re.findall(r"M(\d+) 0h(\d+)v1h-\d+z", line.path):
        marked[int(start) : int(start) + int(width)] = True
    expected = np.zeros(CELLS, bool)
    for cell in range(CELLS):
        low, high = cell / 2, (cell + 1) / 2
        expected[cell] = any(first < high and last >= low for first, last in [(0, 5), (5.2, 10), (90, 100)])
    assert (marked == expected).all()


def test_one_look_is_a_strip_of_one_cell(people):
    lines = timelines(people, people.persons[1], "")
    assert [line.video for line in lines] == ["a & b.mp4", "d.mp4"]
    assert re.fullmatch(r"M\d+ 0h1v1h-1z", lines[1].path)


def test_the_page_has_a_strip_a_person_and_video_and_links_to_the_moment(people, tmp_path):
    write_page(people, tmp_path / "index.html", photos=tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert page.count('<p class="times">') == 3
    assert "a%20%26%20b.mp4#t=90.0" in page
    assert 'title="a &amp; b.mp4 at 0:50' in page
    assert "photos and videos with faces" in page


def test_a_page_of_videos_alone_speaks_of_no_photos(people, tmp_path):
    films = People(
        people.faces.take(np.flatnonzero(~np.isnan(np.array(SPANS)[:, 0]))),
        people.labels[[0, 1, 2, 3, 6]],
        np.ones(5, np.float32),
        [b"jpeg"] * 5,
    )
    write_page(films, tmp_path / "index.html", photos=tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "<dt>videos with faces</dt>" in page
    assert "3 faces in 1 video</p>" in page
    assert "2 faces in 2 videos</p>" in page
