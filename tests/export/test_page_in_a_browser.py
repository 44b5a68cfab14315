"""What the page does when somebody works on it; needs Chromium or Chrome."""

import csv
import html
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from personae.clustering.suggestions import Suggestions
from personae.export import Corrigible, write_page
from tests.export.made_people import made_people

pytestmark = pytest.mark.slow
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HANDS = """
let saved = "";
window.Blob = class { constructor(parts) { saved = parts.join(""); } };
URL.createObjectURL = () => "";
HTMLAnchorElement.prototype.click = () => {};  // nothing is downloaded
const one = (selector) => document.querySelector(selector);
const press = (place, more) => {
  const click = new MouseEvent("click", { bubbles: true, cancelable: true, ...more });
  (typeof place === "string" ? one(place) : place).dispatchEvent(click);
};
const photo = (number) => one(`.face[href$="/photo%20${number}.jpg"]`);
const row = (number) => press(`#person-${number} h2 a`);
const give = (name) => {
  one("#who").value = name;
  press("#correct button[type=submit]");
};
const titles = () => Array.from(document.querySelectorAll("h2 a"), (title) => title.textContent);
const chosen = () => Array.from(document.querySelectorAll(".chosen"), (face) => face.title.split(",")[0]);
"""


@pytest.fixture
def worked(tmp_path):
    """What a script that works on the page of some people returns, and who is said to be in which photo."""
    if BROWSER is None:
        pytest.skip("there is no browser here")

    def work(people, script):
        path = tmp_path / "index.html"
        write_page(people, path, photos=tmp_path, corrigible=Corrigible([""] * len(people.faces)))
        page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
        ended = (
            f"<pre id=outcome></pre><script>{HANDS}\npress('#begin');\n"
            f"const told = (() => {{ {script} }})();\npress('#save');\n"
            "one('#outcome').textContent = JSON.stringify([told ?? null, saved]);</script></body>"
        )
        path.write_text(page.replace("</body>", ended), encoding="utf-8")
        command = [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'browser'}",
        ]
        done = subprocess.run(
            [*command, "--dump-dom", path.as_uri()], capture_output=True, timeout=120, check=True
        )
        outcome = re.search(r'<pre id="outcome">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
        told, saved = json.loads(html.unescape(outcome[1]))
        said = csv.DictReader(io.StringIO(saved, newline=""))
        return told, [(line["photo"], line["person"], line["not"]) for line in said]

    return work


def who(said):
    """The last name of each face."""
    return {photo: person for photo, person, other in said if person or other}


def test_a_row_that_was_joined_by_mistake_gets_another_name_alone(worked):
    told, said = worked(
        made_people([0, 0, 0, 1, 1]),
        "row(1); give('Ada'); row(2); give('Ada'); row(2); give('Bob'); return titles();",
    )
    assert told == ["Ada", "Bob"]
    assert who(said) == {f"photo {face}.jpg": "Ada" if face < 3 else "Bob" for face in range(5)}


def test_rows_that_are_one_person_without_a_name_get_it_together(worked):
    joined = Suggestions(np.array([[0, 1]], np.int32), np.array([0.6]), np.empty(0, np.int64), np.empty(0))
    people = replace(made_people([0, 0, 0, 1, 1]), suggested=joined)
    told, said = worked(people, "press('.same'); row(1); give('Ada'); return titles();")
    assert told == ["Ada", "Ada"]
    assert {name for _, name, _ in said} == {"Ada"}


def test_one_who_does_not_belong_leaves_few_others_held(worked):
    _, said = worked(made_people([0] * 20), "press(photo(7)); press('#other');")
    held = [photo for photo, person, _ in said if person]
    assert len(held) == 4
    assert "photo 7.jpg" not in held
    assert [(photo, other) for photo, _, other in said if other] == [("photo 7.jpg", "Person 2")]


def test_names_are_one_whatever_their_capitals_and_none_is_a_number(worked):
    told, said = worked(
        made_people([0, 0, 1, 1, 2, 2]),
        "row(3); give('pERSON 3'); const refused = [one('#said').textContent, chosen().length];"
        "give('Zoë'); row(1); give('Anna'); row(2); give('ANNA');"
        "press(photo(4)); press(photo(5)); give('ZOË');"
        "return [...refused, ...titles()];",
    )
    assert told == ["Please choose another name.", 2, "Anna", "Anna", "ZOË"]
    assert {name for _, name, _ in said} == {"Anna", "ZOË"}


def test_a_name_just_given_is_found_and_stands_in_the_questions(worked):
    asked = Suggestions(np.array([[0, 1]], np.int32), np.array([0.6]), np.empty(0, np.int64), np.empty(0))
    told, _ = worked(
        replace(made_people([0, 0, 0, 1, 1]), suggested=asked),
        "row(2); give('Ada'); one('#find').value = 'ada'; one('#find').dispatchEvent(new Event('input'));"
        "const links = ['person-1', 'person-2'].map((id) => one(`.question a[href='#${id}']`).textContent);"
        "const seen = [one('#person-1').hidden, one('#person-2').hidden];"
        "press('#undo'); return [links, seen, one('.question a[href=\"#person-2\"]').textContent];",
    )
    assert told == [["Person 1", "Ada"], [True, False], "Person 2"]


def test_keys_show_where_they_are_on_any_face_and_go_on_to_the_next_question(worked):
    pairs = np.array([[0, 1], [0, 2], [1, 2]], np.int32)
    asked = Suggestions(pairs, np.array([0.6, 0.5, 0.4]), np.empty(0, np.int64), np.empty(0))
    people = replace(
        made_people([0, 0, 0, 1, 1, 2, 2], confidence=[0.9, 0.9, 0.3, *[0.9] * 4]), suggested=asked
    )
    told, _ = worked(
        people,
        "press('.question .two'); const next = document.activeElement.closest('.question')?.dataset.rows;"
        "press(photo(0)); const sheet = document.styleSheets[0];"
        "Array.from(sheet.cssRules).forEach((rule, at) => sheet.insertRule("  # a window here may have no focus
        "  rule.cssText.replaceAll(':focus-visible', '.focused'), 2 * at + 1));"
        "const looks = [0, 1, 2].map((number) => {"
        "  photo(number).classList.add('focused');"
        "  return getComputedStyle(photo(number)).outline; });"
        "return [next, new Set(looks).size, looks[1]];",
    )
    assert told[:2] == ["person-1 person-3", 1]
    assert "solid 3px" in told[2]


def test_a_page_with_what_was_not_saved_asks_before_it_is_left(worked):
    told, _ = worked(
        made_people([0, 0]),
        "const leave = () => {"
        "  const event = document.createEvent('BeforeUnloadEvent');"
        "  event.initEvent('beforeunload', false, true);"
        "  return [window.dispatchEvent(event), event.returnValue]; };"
        "const before = leave(); row(1); give('Ada'); return [before, leave()];",
    )
    assert told == [[True, ""], [False, "true"]]


def test_shift_chooses_a_range_in_a_row_and_escape_none(worked):
    told, _ = worked(
        made_people([0] * 6 + [1] * 3),
        "const shift = { shiftKey: true }, all = [];"
        "press(photo(4), shift); press(photo(1), shift); all.push(chosen());"
        "press(photo(7), shift); press(photo(4)); press(photo(2), shift); all.push(chosen());"
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));"
        "return [...all, chosen()];",
    )
    first = [f"photo {face}.jpg" for face in (1, 2, 3, 4)]
    assert told == [first, ["photo 1.jpg", "photo 7.jpg"], []]
