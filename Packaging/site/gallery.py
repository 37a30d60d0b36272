"""The gallery: run each script of docs/gallery, and show the picture that it saves with its code.

A script is a docstring (a title line, an empty line, what the picture shows) and code that saves one figure,
``<name of the script>.png``, in the folder in which it runs. Pictures are kept in ``.cache/gallery`` under a hash of
script, engine and samples, so that a second build runs only what has changed. (``mkdocs-gallery`` writes its pages into
docs, and runs a script again only when the script itself changes.)
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "docs" / "gallery"
CACHE = ROOT / ".cache" / "gallery"
MARK = "<!-- build: gallery -->"
#: Methods without a script, and why.
NOT_SHOWN = {
    "unet-3d": "no model of it comes with MedInpaint.",
    "collagan": "the samples have one contrast each; *Missing contrast* shows its network.",
    "exemplar": "the samples hold one scan of each kind, and this method copies from other people's.",
}
#: Section -> names of scripts, in the order in which they are shown.
SECTIONS = {
    "Tasks": (
        "lesions",
        "strip",
        "missing_slices",
        "missing_contrast",
        "film_squares",
        "grain",
        "uncertainty",
        "samples",
        "atlas_edges",
    ),
    "Methods without training": (
        "shell_mean",
        "nearest",
        "linear_z",
        "harmonic",
        "biharmonic",
        "telea",
        "navier_stokes",
        "patch_regression",
        "patch",
        "hybrid",
        "mirror",
        "atlas",
        "consensus",
        "white_matter",
    ),
    "Trained methods": (
        "unet",
        "pconv",
        "rfr",
        "context_encoder",
        "edge_guided",
        "boundary_aware",
        "vae_latent",
        "gan_latent",
    ),
}
#: A script that needs PyTorch says so by this comment.
NEEDS_TORCH = "# Needs PyTorch."


class ScriptError(Exception):
    """A script of the gallery is not as it should be."""


@dataclasses.dataclass(frozen=True)
class Script:
    """One script.

    Attributes:
        path: of the file.
        title, text: of its docstring.
        code: what follows.
    """

    path: Path
    title: str
    text: str
    code: str

    @property
    def name(self) -> str:
        """Name of the script and of its picture."""
        return self.path.stem

    @property
    def needs_torch(self) -> bool:
        """Whether it runs only where PyTorch is installed."""
        return NEEDS_TORCH in self.code

    @property
    def methods(self) -> set[str]:
        """The methods that it names."""
        return set(re.findall(r'method="([\w-]+)"', self.code))


def read(path: Path) -> Script:
    """Read a script."""
    source = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    title, _, text = docstring.partition("\n\n")
    code = source.split('"""', 2)[2].strip() + "\n"
    return Script(path, title.strip().rstrip("."), text.strip(), code)


def scripts() -> list[Script]:
    """Return all scripts, in the order in which they are shown."""
    return [read(SCRIPTS / f"{name}.py") for names in SECTIONS.values() for name in names]


def run(script: Script, folder: Path) -> Path:
    """Run a script in a folder and return its picture.

    Raises:
        ScriptError: it failed, printed something, or saved no picture.
    """
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    own = {"MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    process = subprocess.run(
        [sys.executable, str(script.path)],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    picture = folder / f"{script.name}.png"
    printed = process.stdout + process.stderr
    if process.returncode or printed or not picture.is_file():
        raise ScriptError(f"docs/gallery/{script.path.name} must save {picture.name} and print nothing:\n{printed}")
    return picture


def picture_of(script: Script) -> Path | None:
    """Return a script's picture, from the cache where nothing has changed; None where PyTorch is missing."""
    digest = hashlib.sha256(script.path.read_bytes() + engine().encode()).hexdigest()[:16]
    kept = CACHE / f"{script.name}-{digest}.png"
    if kept.is_file():
        return kept
    if script.needs_torch and importlib.util.find_spec("torch") is None:
        return None
    logging.getLogger("mkdocs.gallery").info("Running %s", script.path.name)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        picture = run(script, Path(folder))
        for old in CACHE.glob(f"{script.name}-*.png"):
            old.unlink()
        shutil.move(picture, kept)
    return kept


@functools.cache
def engine() -> str:
    """Return a hash of all that pictures depend on besides their scripts."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield ROOT / "constraints.txt"
    yield from (ROOT / "MedInpaintLib").rglob("*.py")
    for kind in ("SampleData", "Models", "Atlas"):
        yield from (path for path in (ROOT / "Resources" / kind).rglob("*") if path.is_file())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures."""
    from mkdocs.structure.files import File

    left = {path.stem for path in SCRIPTS.glob("*.py")} - {name for names in SECTIONS.values() for name in names}
    if left:
        raise ScriptError(f"SECTIONS in Packaging/site/gallery.py does not name these scripts: {sorted(left)}.")
    for script in scripts():
        picture = picture_of(script)
        if picture is not None:
            files.append(File.generated(config, f"gallery/{script.name}.png", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the gallery where its mark is."""
    return markdown.replace(MARK, _page(files)) if MARK in markdown else markdown


def _page(files: Files) -> str:
    parts = []
    for section, names in SECTIONS.items():
        parts.append(f"## {section}")
        parts += [_entry(read(SCRIPTS / f"{name}.py"), files) for name in names]
    missing = [f"- `{name}`: {reason}" for name, reason in NOT_SHOWN.items()]
    return "\n\n".join([*parts, "## Not shown", "\n".join(missing)])


def _entry(script: Script, files: Files) -> str:
    picture = f"![{script.title}]({script.name}.png)"
    if f"gallery/{script.name}.png" not in files.src_uris:
        picture = "*This picture needs PyTorch, which was not installed where this site was built.*"
    code = f'??? example "{script.path.name}"\n\n' + "".join(
        f"    {line}\n" if line else "\n" for line in ["```python", *script.code.strip().splitlines(), "```"]
    )
    return "\n\n".join([f"### {script.title}", script.text, picture, code])
