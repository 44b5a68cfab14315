"""`personae benchmark`, on a small set in the published format."""

import json

from tests.papers.published_files import write_set


def test_the_table_is_shown_and_kept(run, tmp_path):
    write_set(tmp_path / "data", ["part1_test", "part3_test"], 80)
    words = ["benchmark", "ms1m", "--data", "data", "--methods", "cdp, threshold", "--out", "figures.json"]
    code, out, _ = run(*words)
    assert code == 0
    assert "75.0 / 78.7 / 94.7" in out
    assert "94.2 / 92.5" not in out  # FaceMap's, which was not asked for
    assert "raw features + Infomap" in out
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert kept["data_set"] == "ms1m"
    assert {line["method"] for line in kept["lines"]} == {"cdp", "threshold", None}


def test_what_is_not_there_gets_one_line(run, tmp_path):
    for words, says in (
        (["benchmark", "lfw", "--data", "."], "no data set is called lfw"),
        (["benchmark", "ms1m", "--data", "nowhere"], "nowhere: no such folder"),
        (["benchmark", "ms1m", "--data", "."], "no part to be tested on"),
        (["benchmark", "ms1m", "--data", ".", "--methods", "magic"], "no method is called magic"),
    ):
        code, out, error = run(*words)
        assert (code, out) == (3, "")
        assert says in error
        assert len(error.splitlines()) == 1
