"""Screenshots are there for pages; that links lead somewhere is tested in ``packaging/test_site.py``."""

from Testing import documentation


def test_every_screenshot_is_on_a_page():
    pages = [documentation.ROOT / "README.md", *(documentation.ROOT / "docs").rglob("*.md")]
    texts = "".join(page.read_text(encoding="utf-8") for page in pages)
    for picture in (documentation.ROOT / "Resources" / "Screenshots").iterdir():
        assert f"Resources/Screenshots/{picture.name})" in texts
