import pytest

from personae import InputError
from personae.data.photo_truth import people_of


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_people_are_told_from_left_to_right(tmp_path, between):
    rows = [("photo", "person"), ("a.jpg", "Ada"), ("b.jpg", "Zoë"), ("a.jpg", "Bo")]
    (tmp_path / "truth.csv").write_text("\r\n".join(map(between.join, rows)), encoding="utf-8-sig")
    assert people_of(tmp_path / "truth.csv") == {"a.jpg": ["Ada", "Bo"], "b.jpg": ["Zoë"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "has no rows of photo,person"),
        (b"photo,name\na.jpg,Ada\n", "has no rows of photo,person"),
        (b"photo,person\na.jpg,\n", "line 2 lacks a photo or a person"),
        (b"photo;person\na.jpg\n", "line 2 lacks a photo or a person"),
        (b"photo,person\na.jpg,Andr\xe9\n", "not a CSV table in UTF-8"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, says):
    (tmp_path / "truth.csv").write_bytes(text)
    with pytest.raises(InputError, match=says):
        people_of(tmp_path / "truth.csv")
    with pytest.raises(InputError, match="give a table of photo,person"):
        people_of(tmp_path / "nowhere.csv")
