"""Opens pages of fills and the index of a study in a real browser: ``make report-check``.

Fills the samples as a small study with pages, and the BIDS example, which has a page for each participant. Opens each
page in Chromium without a window (wide, narrow, dark, as print), and checks that nothing leaves the page, the console
is silent, pictures are there, nothing is wider than the screen, and that sliders, sorting and search work by mouse and
keyboard. Screenshots are for looking at. Needs Chromium (Debian: ``apt install chromium``; elsewhere name it in
``CHROMIUM``) and the extra ``browser``.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import MedInpaintLib as mi
from MedInpaintLib.pages.attention import LEVELS
from MedInpaintLib.pages.index import Row, index_page
from MedInpaintLib.samples import samples
from Testing import bids_example

#: Name of the screenshots -> width of the window, colours and medium.
SCREENS = {
    "wide": (1280, "light", "screen"),
    "narrow": (390, "light", "screen"),
    "dark": (1280, "dark", "screen"),
    "print": (800, "light", "print"),
}
#: A name that is HTML: it must be shown, not obeyed.
HOSTILE = "<img src=x onerror=alert(1)>&quot;'"
ROWS = 10_000


def make_study(folder: Path) -> Path:
    """Fill the samples as a study with pages; return its index. One image is damaged, and one mask is empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    known = samples()
    # In the table, ";" stands between several images; Windows knows no such names.
    hostile = folder / f"{HOSTILE.replace(';', '') if os.name != 'nt' else 'name'}.nii.gz"
    shutil.copy(known["brain-t1"].image, hostile)
    head = mi.Volume.read(known["brain-t1"].image)
    empty, damaged = folder / "empty.nii.gz", folder / "damaged.nii.gz"
    head.of_another_quantity(np.zeros(head.array.shape, np.uint8)).write(empty)
    damaged.write_text("no image")
    lesions, spheres = known["brain-t1-lesion"], known["brain-t1"]
    rows = [
        ("lesions", lesions.image, lesions.mask, "patch", "", ""),
        ("spheres", spheres.image, spheres.mask, "mirror", "all", ""),
        (HOSTILE, hostile, spheres.mask, "biharmonic", "1", "yes"),
        ("ct", known["ct-slab"].image, known["ct-slab"].mask, "harmonic", "all", ""),
        ("film", known["chest-film"].image, known["chest-film"].mask, "hybrid", "all", ""),
        ("control", spheres.image, empty, "auto", "", ""),
        ("damaged", damaged, spheres.mask, "auto", "", ""),
    ]
    table = folder / "study.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "mask", "output", "method", "label", "self_check"])
        for number, (name, image, mask, method, label, check) in enumerate(rows):
            writer.writerow([name, image, mask, f"filled/case {number}#.nrrd", method, label, check])
    command = ["cohort", str(table), "--page", "--report", "--uncertainty", "--jobs", "2"]
    code = subprocess.run([sys.executable, "-m", "MedInpaintLib.cli", *command], check=False).returncode
    _expect(code == 1, f"the damaged image makes exit code 1, not {code}")
    return folder / "study-cohort" / "index.html"


def make_dataset(folder: Path) -> Path:
    """Fill the BIDS example; return the index of its pages."""
    shutil.rmtree(folder, ignore_errors=True)
    bids_example.main(folder)
    output = folder / "derivatives" / "medinpaint"
    command = ["bids", str(folder), str(output), "participant", "--dilate", "1", "--no-uncertainty"]
    subprocess.run([sys.executable, "-m", "MedInpaintLib.cli", *command], check=True)
    return output / "index.html"


@contextlib.contextmanager
def opened(browser: Browser, path: Path, screen: str) -> Iterator[Page]:
    """Open a page on a screen; at the end, check what the browser said and asked for."""
    width, colours, medium = SCREENS[screen]
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colours)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(media=medium, color_scheme=colours)
    page.goto(path.resolve().as_uri())
    yield page
    foreign = [url[:80] for url in asked[1:] if not url.startswith(("data:", "file:"))]
    _expect(not said, f"{path.name}: the console says {said}")
    _expect(not foreign, f"{path.name}: it asks for {foreign}")
    context.close()


def check_looks(browser: Browser, path: Path, screenshots: Path) -> None:
    """Check a page on each screen, and take a screenshot."""
    for screen, (width, _, _) in SCREENS.items():
        with opened(browser, path, screen) as page:
            missing = page.evaluate("Array.from(document.images).filter((each) => !each.naturalWidth).length")
            _expect(missing == 0, f"{path.name}: {missing} pictures are missing")
            wide = page.evaluate("document.documentElement.scrollWidth")
            _expect(wide <= width, f"{path.name}, {screen}: {wide} pixels on a screen of {width}")
            page.screenshot(path=screenshots / f"{path.stem}-{screen}.png")
            if screen == "print" and page.locator(".before").count():
                before, after = (page.locator(f".{side}").first.bounding_box() for side in ("before", "after"))
                _expect(before["x"] + before["width"] <= after["x"], f"{path.name}: before and after overlap in print")


def check_wipes(browser: Browser, path: Path, screenshots: Path) -> None:
    """Move sliders by mouse and keyboard, and look whether the picture changes."""
    with opened(browser, path, "wide") as page:
        stack, wipe = page.locator(".stack").first, page.locator(".wipe").first
        box = stack.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 20, steps=5)
        page.mouse.up()
        dragged = int(wipe.input_value())
        _expect(dragged < 20, f"dragging to the left leaves the slider at {dragged}")
        before = stack.screenshot()
        wipe.focus()
        page.keyboard.press("End")
        _expect(wipe.input_value() == "100", "the key End does not move the slider to the end")
        page.keyboard.press("ArrowLeft")
        _expect(wipe.input_value() == "99", "an arrow key does not move the slider")
        _expect(stack.screenshot() != before, "the picture does not follow the slider")
        page.locator("#all").fill("0")
        values = set(page.evaluate("Array.from(document.querySelectorAll('.wipe'), (each) => each.value)"))
        _expect(values == {"0"}, f"the slider of all leaves {values}")
        page.locator("#spread").check()
        _expect(page.locator("img.spread").first.is_visible(), "the uncertainty is not shown")
        page.locator("#outline").uncheck()
        _expect(not page.locator("path.outline").first.is_visible(), "the outline stays")
        page.screenshot(path=screenshots / f"{path.stem}-uncertainty.png")


def check_index(browser: Browser, path: Path) -> list[Path]:
    """Sort and search the index, and follow its links; return the pages."""
    with opened(browser, path, "wide") as page:
        names = page.locator("tbody tr td:first-child")
        links = page.evaluate("Array.from(document.querySelectorAll('tbody a'), (each) => each.getAttribute('href'))")
        _expect(names.first.inner_text() == "damaged", f"the first case is {names.first.inner_text()}")
        _expect(HOSTILE in names.all_inner_texts(), "the name that is HTML is not shown as it is")
        page.get_by_role("button", name="Case").click()
        _expect(names.first.inner_text() != "damaged", "a click on a heading does not sort")
        page.locator("#words").fill("ct harmonic")
        _expect(page.locator("tbody tr:visible").count() == 1, "the search does not show one case")
        page.locator("#words").fill("")
        page.locator("#level").select_option("failed")
        _expect(page.locator("tbody tr:visible").count() == 1, "there is one case that failed")
        page.locator("#level").select_option("")
        page.get_by_role("link", name="lesions").click()
        _expect(page.locator("h1").inner_text() == "brain-t1.nii.gz", "a link does not lead to the page")
    return [path.parent / urllib.parse.unquote(link) for link in links]


def check_subjects(browser: Browser, path: Path) -> list[Path]:
    """Follow the links of an index to the page of a participant and on to that of an image; return the former pages."""
    with opened(browser, path, "wide") as page:
        links = page.evaluate("Array.from(document.querySelectorAll('tbody a'), (each) => each.getAttribute('href'))")
        page.locator("tbody a").first.click()
        subject = page.locator("h1").inner_text()
        _expect(subject.startswith("sub-"), f"the index leads to {subject}, which is no participant")
        picture = page.locator(".thumbnail img").first.bounding_box()
        _expect(min(picture["width"], picture["height"]) > 50, f"the picture of an image is too small: {picture}")
        page.locator(".thumbnail a").first.click()
        _expect(page.locator(".wipe").count() > 0, "the picture does not lead to the page of the image")
    return [path.parent / name for name in dict.fromkeys(link.partition("#")[0] for link in links)]


def check_many(browser: Browser, folder: Path) -> None:
    """Measure an index with many rows."""
    rows = [
        Row(f"sub-{n:05d}", f"sub-{n:05d}.html", LEVELS[n % 5], ["unet", n, n / 7], "A warning") for n in range(ROWS)
    ]
    path = folder / "many.html"
    path.write_text(index_page("Many", ["method", "voxels", "ml"], rows), encoding="utf-8")
    start = time.perf_counter()
    with opened(browser, path, "wide") as page:
        loaded = time.perf_counter() - start
        start = time.perf_counter()
        page.get_by_role("button", name="voxels").click()
        page.get_by_role("button", name="voxels").click()
        _expect(page.locator("tbody tr td:first-child").first.inner_text() == f"sub-{ROWS - 1:05d}", "wrong order")
        sorted_twice = time.perf_counter() - start
        start = time.perf_counter()
        page.locator("#words").fill("sub-00123")
        _expect(page.locator("#count").inner_text() == "1 of 1 shown", "the search does not find one case")
        searched = time.perf_counter() - start
    times = f"{loaded:.1f} s to open, {sorted_twice / 2:.1f} s to sort, {searched:.1f} s to search"
    print(f"{ROWS} rows, {path.stat().st_size / 1e6:.1f} MB: {times}")
    _expect(max(loaded, sorted_twice, searched) < 20, "an index of many rows is too slow")


def _expect(fact: bool, problem: str) -> None:
    if not fact:
        raise SystemExit(f"report-check: {problem}")


def _chromium() -> str:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, (shutil.which(name) for name in names if name)), None)
    if found is None:
        raise SystemExit("report-check: there is no Chromium; install it, or name its program in CHROMIUM.")
    return found


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("report-output"), help="folder for study and screenshots")
    folder = parser.parse_args().output.resolve()
    program = _chromium()
    screenshots = folder / "screenshots"
    index = make_study(folder / "study")
    dataset = make_dataset(folder / "bids")
    shutil.rmtree(screenshots, ignore_errors=True)
    screenshots.mkdir()
    with sync_playwright() as playwright:
        # Without a sandbox: it opens nothing but these files, and the sandbox needs rights that containers lack.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        pages = check_index(browser, index)
        subjects = check_subjects(browser, dataset)
        for path in (index, *pages, *subjects):
            check_looks(browser, path, screenshots)
        check_wipes(browser, next(path for path in pages if path.name.startswith("case 0")), screenshots)
        check_many(browser, folder)
        browser.close()
    sizes = ", ".join(f"{path.stat().st_size / 1e6:.1f}" for path in (*pages, *subjects))
    count = f"{len(pages)} pages of images and {len(subjects)} of participants"
    print(f"{count} of {sizes} MB and their indexes are fine; look at the screenshots in {screenshots}")


if __name__ == "__main__":
    main()
