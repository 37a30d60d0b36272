"""Links and pictures in README and hand-written pages lead somewhere."""

import re

import pytest

from Testing import documentation

PAGES = ["README.md", "CONTRIBUTING.md"] + [
    page.relative_to(documentation.ROOT).as_posix()
    for folder in ("tutorials", "how-to", "reference", "explanation")
    for page in sorted((documentation.ROOT / "docs" / folder).glob("*.md"))
]


def anchors(page: str) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)", documentation.text(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page):
    prose = re.sub(r"^```.*?^```", "", documentation.text(page), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", prose):
        file, _, heading = target.partition("#")
        path = (documentation.ROOT / page).parent / file if file else documentation.ROOT / page
        assert path.exists(), target
        if heading:
            assert heading in anchors(path.resolve().relative_to(documentation.ROOT.resolve()).as_posix()), target


def test_every_screenshot_is_on_a_page():
    pages = "".join(map(documentation.text, PAGES))
    for picture in (documentation.ROOT / "Resources" / "Screenshots").iterdir():
        assert f"Resources/Screenshots/{picture.name})" in pages
