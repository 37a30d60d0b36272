"""The README is short, its table is that of the page, and what it says can be done as it says."""

import json

import numpy as np

from Testing import documentation
from Testing.Python.documentation.scores import table

README = "README.md"


def test_the_readme_has_at_most_200_lines():
    assert len(documentation.text(README).splitlines()) <= 200


def test_every_command_and_snippet_works(tmp_path):
    assert [language for language, _ in documentation.steps(README)] == ["sh", "python"]
    documentation.run(README, tmp_path)


def test_the_table_of_what_to_expect_is_that_of_the_page():
    rows = table("fills/scores")
    seconds = json.loads(documentation.text("docs/fills/facts.json"))["seconds"]
    page = documentation.text("docs/fills/README.md")
    titles = {
        "mr-5mm": "MR, 15 lesions of 5 mm",
        "mr-20mm": "MR, a sphere of 20 mm",
        "mr-strips": "MR, strips of 16 px on 10 slices",
        "ct-slices-squares": "CT slices, squares of 32 px",
        "film-squares": "Chest films, squares of 64 px",
    }
    for task, title in titles.items():
        assert f"## {title}\n" in page
        own = [row for row in rows if row["task"] == task]
        psnr, texture = (
            {
                method: np.mean([float(row[metric]) for row in own if row["method"] == method])
                for method in ("shell-mean", "biharmonic", "auto")
            }
            for metric in ("psnr", "gradient_energy")
        )
        highest = f"{max(psnr.values()):.1f}"
        cells = [f"**{mean:.1f}**" if f"{mean:.1f}" == highest else f"{mean:.1f}" for mean in psnr.values()]
        people = len({row["subject"] for row in own})
        line = f"| {title} | {people} | {' | '.join(cells)} | {texture['auto']:.2f} | {seconds[task]['auto']:.1f} |"
        assert line in documentation.text(README)
