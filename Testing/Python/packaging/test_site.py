"""The documentation site: whatever is public is on it, its links lead somewhere, and its gallery runs."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import MedInpaintLib as mi
from MedInpaintLib import report

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
#: Public names without an example that runs, and why.
NO_EXAMPLE = {
    "impute": "needs PyTorch and some seconds; the gallery has it (missing_contrast.py)",
    "atlas_edges": "needs a head and some seconds; the gallery has it (atlas_edges.py)",
    "__version__": "a text",
}
#: The quickest scripts of the gallery.
QUICKEST = ("shell_mean", "linear_z")
LONGEST = 40  # lines of a script


def _hook(name: str):
    """Import a hook of the site, which is in no package."""
    path = ROOT / "Packaging" / "site" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"site_hook_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def gallery():
    return _hook("gallery")


@pytest.fixture(scope="module")
def reference():
    return _hook("reference")


# API and generated pages


def test_every_public_name_is_on_a_page_of_the_api():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference" / "api").glob("*.md"))
    left_out = [name for name in mi.__all__ if not re.search(rf"(^::: |`)MedInpaintLib\.{name}\b", text, re.M)]
    assert left_out == []


def test_every_object_on_a_page_of_the_api_exists():
    for page in (DOCS / "reference" / "api").glob("*.md"):
        for path in re.findall(r"^::: ([\w.]+)$", page.read_text(encoding="utf-8"), re.M):
            module, _, name = path.rpartition(".")
            assert hasattr(importlib.import_module(module), name), path


def test_every_public_name_has_an_example_or_a_reason_for_none():
    without = {name for name in mi.__all__ if ">>>" not in (inspect.getdoc(getattr(mi, name)) or "")}
    assert without == NO_EXAMPLE.keys()


def test_the_page_of_methods_has_each_method_with_each_parameter(reference):
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", reference.methods(), re.M | re.S))
    assert sections.keys() == {"auto", *mi.list_methods()}
    for name, info in mi.list_methods().items():
        assert info.trust in sections[name]
        for parameter in info.describe():
            assert f"| `{parameter.name}` |" in sections[name]


def test_the_page_of_commands_has_options_with_their_help(reference):
    text = reference.commands()
    assert "\n## medinpaint models add\n" in text
    assert "| `-o, --output" in text
    assert "| `--set NAME=VALUE` | A parameter of the method; repeatable. |" in text


def test_the_page_of_reports_says_what_the_fields_of_a_part_are(reference):
    text = reference.reports()
    section = text[text.index("## PartFacts") :].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*) \|$", section, re.M))
    assert rows.keys() == report.PartFacts.__annotations__.keys() - {"volume", "regions", "tissues", "deviation"}
    assert rows["number"] == "from 1"
    assert "[OfAtlas](#ofatlas)" in section


def test_examples_of_the_hooks_hold(reference):
    assert doctest.testmod(reference).failed == 0


# The gallery


def test_every_method_has_a_script_or_a_reason_for_none(gallery):
    shown = set().union(*(script.methods for script in gallery.scripts()))
    assert shown.isdisjoint(gallery.NOT_SHOWN)
    assert shown | gallery.NOT_SHOWN.keys() == mi.list_methods().keys()


def test_scripts_are_short_and_say_what_they_show(gallery):
    assert {script.name for script in gallery.scripts()} == {path.stem for path in gallery.SCRIPTS.glob("*.py")}
    for script in gallery.scripts():
        assert script.title, script.name
        assert script.text, script.name
        assert len(script.code.splitlines()) <= LONGEST, script.name


def test_scripts_that_need_pytorch_say_so(gallery):
    learned = {name for name, info in mi.list_methods().items() if "torch" in info.requires}
    for script in gallery.scripts():
        assert script.needs_torch == bool(script.methods & learned or "mi.impute(" in script.code), script.name


@pytest.mark.parametrize("name", QUICKEST)
def test_scripts_save_one_picture_and_print_nothing(name, gallery, tmp_path):
    pytest.importorskip("matplotlib")
    picture = gallery.run(gallery.read(gallery.SCRIPTS / f"{name}.py"), tmp_path)
    assert list(tmp_path.iterdir()) == [picture]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_script_that_prints_is_refused(gallery, tmp_path):
    path = tmp_path / "chatty.py"
    path.write_text('"""Chatty\n\nPrints.\n"""\n\nprint("so it is")\n', encoding="utf-8")
    with pytest.raises(gallery.ScriptError, match="so it is"):
        gallery.run(gallery.read(path), tmp_path)


# Links


def _pages() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "docs/*.md", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not in a git repository")
    names = [name for name in listed.stdout.split("\0") if name.startswith("docs/") or "/" not in name]
    return [ROOT / name for name in sorted(set(names)) if name and (ROOT / name).is_file()]


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]*`", lambda code: "`" * code[0].startswith("`"), text, flags=re.M | re.S)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by GitHub's rule."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in re.findall(r"^#+ +(.+?) *$", text, re.M))
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def _built(page: Path, reference, gallery) -> set[str]:
    """The anchors that only the site has: of what it builds into a page."""
    text = page.read_text(encoding="utf-8")
    if gallery.MARK in text:
        return {each.title.lower().replace(" ", "-") for each in gallery.scripts()}
    made = "\n".join(reference.BUILDERS[name]() for name in re.findall(r"^<!-- build: (\w+) -->$", text, re.M))
    return {each.lower().replace(" ", "-") for each in re.findall(r"^## (.+)$", made, re.M)}


def test_links_of_pages_lead_to_files_and_headings_that_exist(reference, gallery):
    broken = []
    for page in _pages():
        text = _without_code(page.read_text(encoding="utf-8"))
        for link in re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", text):
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            path = (page.parent / target).resolve() if target else page
            missing = not path.exists()
            if not missing and anchor and path.suffix == ".md":
                missing = anchor not in _anchors(path) | _built(path, reference, gallery)
            if missing:
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_links_that_leave_docs_lead_to_the_repository(monkeypatch):
    links = _hook("links")

    class Site:
        class Page:
            class file:
                src_uri = "tutorials/slicer.md"

        class Files:
            src_uris = {"repository/Resources/Screenshots/panel.webp": None}  # noqa: RUF012

    text = (
        "![panel](../../Resources/Screenshots/panel.webp) [a](../../README.md#cite) [b](../how-to/x.md) `[c](../../d)`"
    )
    assert links.on_page_markdown(text, Site.Page, None, Site.Files) == (
        "![panel](../repository/Resources/Screenshots/panel.webp) "
        f"[a]({links.GITHUB}README.md#cite) [b](../how-to/x.md) `[c](../../d)`"
    )


# Privacy


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ('<script src="https://cdn.example/a.js"></script>', ["https://cdn.example/a.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ('<img src="http://example/a.png">', ["http://example/a.png"]),
        ("<style>@import 'https://example/a.css';</style>", ["https://example/a.css"]),
        ('<link rel="canonical" href="https://example/"> <a href="https://example/">x</a> <img src="a.png">', []),
    ],
)
def test_a_page_that_loads_from_elsewhere_is_found(text, foreign, tmp_path):
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    assert [address for _, address in _hook("privacy").foreign_loads(tmp_path)] == foreign
