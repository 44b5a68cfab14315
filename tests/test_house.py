"""What keeps the house in order."""

import ast
import importlib
import pkgutil
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import personae
from benchmarks.tables import filled, pages
from personae.cli.app import app
from personae.methods import LEARNED, METHODS, OF_FILMS, OF_TRACKS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCS = "\n".join(page.read_text() for page in pages())


@pytest.mark.parametrize("name", personae.__all__)
def test_a_public_name_is_there_and_has_its_docs(name):
    assert getattr(personae, name).__doc__
    assert name in DOCS


def test_public_names_are_sorted_and_no_folder_hides_one():
    assert personae.__all__ == sorted(personae.__all__)
    folders = {module.name for module in pkgutil.iter_modules(personae.__path__)}
    assert not folders & set(personae.__all__)


def commands_of(group_name):
    group = next(group for group in app.registered_groups if group.name == group_name)
    commands = group.typer_instance.registered_commands
    return {(command.name or command.callback.__name__).replace("-", "_") for command in commands}


@pytest.mark.parametrize("name", [*METHODS, *LEARNED, *OF_TRACKS, *OF_FILMS])
def test_a_method_has_its_page(name):
    assert (ROOT / "docs" / "methods" / f"{name}.md").is_file()


def test_every_method_has_its_subcommands():
    assert commands_of("cluster") == {*METHODS, *LEARNED, *OF_TRACKS, *OF_FILMS}
    assert commands_of("train") == {*LEARNED, *OF_TRACKS}


def test_every_method_file_is_in_a_table():
    files = {path.stem for path in (ROOT / "src/personae/methods").glob("*.py")}
    assert files - {"__init__", "estimator", "learned"} == {*METHODS, *LEARNED, *OF_TRACKS, *OF_FILMS}


def test_every_command_is_in_the_docs():
    for command in app.registered_commands:
        assert f"`personae {command.callback.__name__}" in DOCS
    for name in commands_of("export"):
        assert f"`personae export {name}" in DOCS


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_file_exceeds_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_file_says_what_it_is_and_every_public_function_has_a_docstring(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), path
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            decorated = {ast.unparse(d) for d in node.decorator_list}
            assert ast.get_docstring(node) or "overload" in decorated, f"{path}: {node.name}"


def test_every_module_can_be_imported():
    for module in pkgutil.walk_packages(personae.__path__, "personae."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_tables_are_those_of_the_results(page):
    assert filled(page.read_text()) == page.read_text()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def made(*words):
    """The lines that make would run."""
    if shutil.which("make") is None:
        pytest.skip("make is not here")
    command = ["make", "--no-print-directory", "-n", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_finds_photos_in_the_home_of_whoever_calls(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    line = made("demo", "PHOTOS=~/My Pictures", "OUT=~/people").splitlines()[-1].strip()
    assert line.endswith('people "/home/ada/My Pictures" --out "/home/ada/people"')
    assert 'people "examples/sample_album/photos" --out "people" --truth' in made("demo")


def test_make_clean_leaves_people_and_their_names():
    assert "people" not in made("clean", "VENV=.venv")


def test_the_version_is_in_the_changelog():
    assert f"## {personae.__version__}" in (ROOT / "CHANGELOG.md").read_text()
