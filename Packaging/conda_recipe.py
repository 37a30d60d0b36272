"""Print the conda-forge recipe for a release: ``python Packaging/conda_recipe.py dist/medinpaint-0.2.0.tar.gz``.

Version, checksum and dependencies come from the source archive, so that nothing is written twice.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tarfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

#: Packages whose name differs there, besides capital letters.
NAMES = {"torch": "pytorch", "opencv-python-headless": "py-opencv"}

RECIPE = """\
schema_version: 1

context:
  version: "{version}"

package:
  name: medinpaint
  version: ${{{{ version }}}}

source:
  url: {source}/releases/download/v${{{{ version }}}}/{archive}
  sha256: {sha256}

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
  python:
    entry_points:
      - medinpaint = MedInpaintLib.cli:main

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
{build}
  run:
    - python >=${{{{ python_min }}}}
{run}
  run_constraints:
{constraints}

tests:
  - python:
      imports:
        - MedInpaintLib
      pip_check: true
      python_version: ${{{{ python_min }}}}.*
  - script:
      - medinpaint check

about:
  homepage: {source}
  summary: {summary}
  license: Apache-2.0
  license_file: LICENSE

extra:
  recipe-maintainers: []
"""


def main(archive: Path) -> None:
    """Print the recipe for a source archive."""
    metadata = _metadata(archive)
    project = _member(archive, "pyproject.toml").decode()
    urls = dict(each.split(", ", 1) for each in metadata.get_all("Project-URL", []))
    print(
        RECIPE.format(
            version=metadata["Version"],
            source=urls["Source"],
            archive=archive.name,
            sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
            summary=metadata["Summary"].replace(": ", " - "),
            build=_lines(re.findall(r'"([^"]+)"', re.search(r"^requires = \[(.*)\]$", project, re.M).group(1))),
            run=_lines(requirements(metadata, None) + requirements(metadata, "cli")),
            constraints=_lines(requirements(metadata, "learned") + requirements(metadata, "report")),
        ),
        end="",
    )


def requirements(metadata: Message, extra: str | None) -> list[str]:
    """Return what the package needs, or what one of its extras adds, without other extras."""
    found = []
    for entry in metadata.get_all("Requires-Dist", []):
        requirement, _, marker = (part.strip() for part in entry.partition(";"))
        named = re.search(r"extra == ['\"](.+?)['\"]", marker)
        if (named.group(1) if named else None) == extra and "[" not in requirement:
            found.append(requirement)
    return found


def _lines(found: list[str]) -> str:
    entries = []
    for requirement in found:
        name, bounds = re.fullmatch(r"([\w.-]+)\s*(.*)", requirement).groups()
        entries.append(f"    - {NAMES.get(name.lower(), name.lower())} {bounds}".rstrip())
    return "\n".join(entries)


def _metadata(archive: Path) -> Message:
    return message_from_bytes(_member(archive, "PKG-INFO"))


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as packed:
        member = next(each for each in packed.getnames() if each.count("/") == 1 and each.endswith(f"/{name}"))
        return packed.extractfile(member).read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
