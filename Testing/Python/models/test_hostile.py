"""Bundles that somebody made to do harm are refused in one line, before they take time, memory or disk."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import time
import zipfile

import pytest

from MedInpaintLib.errors import ModelError
from MedInpaintLib.models import archive, store
from MedInpaintLib.models.bundle import load_network, read_bundle
from MedInpaintLib.models.fields import NAME

UNET = {"pixels": 32, "width": 4, "levels": 2, "given": "fill"}


def refusal(work) -> str:
    with pytest.raises(ModelError) as refused:
        work()
    (line,) = str(refused.value).splitlines()
    return line


def edit(folder, **changes):
    facts = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    (folder / "bundle.json").write_text(json.dumps({**facts, **changes}), encoding="utf-8")


def put_weights(folder, content: bytes):
    """Replace the weights, with facts that agree."""
    (folder / "weights.safetensors").write_bytes(content)
    facts = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["weights"]
    edit(folder, weights={**facts, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})


def header(fields) -> bytes:
    text = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return struct.pack("<Q", len(text)) + text


def memory_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.fixture
def real(write, tmp_path):
    """A bundle of a network that can be built."""
    from MedInpaintLib.networks import build

    return write(tmp_path / "real", name="real", arguments=UNET, tensors=build("unet", UNET).state_dict())


# The network


def test_a_good_bundle_is_loaded(real):
    assert sum(each.numel() for each in load_network(read_bundle(real.folder)).parameters()) > 100


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
@pytest.mark.parametrize(
    "arguments",
    [
        {"width": 300_000},
        {"width": 4096, "levels": 12, "pixels": 4096},
        {"levels": 10**9},
        {"width": 10**12},
        {"width": 10**400},
        {"width": 1e300},
        {"width": -1},
        {"width": 0},
        {"levels": 0},
        {"levels": -1},
        {"width": "4"},
        {"width": None},
        {"width": [4]},
        {"norm": {}},
        {"slices": 10**9},
        {"slices": "x"},
        {"pixels": 10**9},
        {"given": []},
        {"colour": 3},
    ],
)
def test_absurd_networks_are_refused_quickly_and_without_memory(real, arguments):
    load_network(real)  # torch's own start is over
    edit(real.folder, arguments={**UNET, **arguments})
    before, start = memory_mb(), time.perf_counter()
    refusal(lambda: load_network(read_bundle(real.folder)))
    assert memory_mb() - before < 100
    assert time.perf_counter() - start < 5  # 0.1 s on an idle machine


@pytest.mark.parametrize("architecture", ["vae", "dcgan", "pconv", "rfr", "context-encoder", "edge-guided", "collagan"])
@pytest.mark.parametrize("value", [-1, 0, "x", 4096, None, 1.5])
def test_silly_arguments_of_every_architecture_are_one_line(real, architecture, value):
    for name in ("width", "levels", "kernel", "latent", "recurrences", "bottleneck", "contrasts"):
        edit(real.folder, architecture=architecture, arguments={"pixels": 32, name: value})
        refusal(lambda: load_network(read_bundle(real.folder)))


# The weights


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 1 << 30) + b"{}",
        header(b"[" * 100_000),
        header(b'{"a": 1, "a": 2}'),
        header([]),
        header({"a": None}),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),  # without the 4 bytes
        header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}}) + b"1234",
        header({"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}) + b"1234",
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}) + b"1234",
    ],
)
def test_files_that_are_no_weights_are_refused(real, content):
    put_weights(real.folder, content)
    refusal(lambda: load_network(read_bundle(real.folder)))


def test_whole_numbers_in_place_of_real_ones_are_refused(real):
    import safetensors.torch
    import torch

    tensors = safetensors.torch.load((real.folder / "weights.safetensors").read_bytes())
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    put_weights(real.folder, safetensors.torch.save({**tensors, name: tensors[name].to(torch.int16)}))
    assert "of whole numbers in the model and of real numbers in the network" in refusal(
        lambda: load_network(read_bundle(real.folder))
    )


# Links


@pytest.mark.parametrize("name", ["bundle.json", "weights.safetensors", "README.md"])
def test_links_out_of_the_folder_are_not_followed(places, tiny, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    os.replace(tiny.folder / name, tmp_path / "elsewhere" / name)
    (tiny.folder / name).symlink_to(tmp_path / "elsewhere" / name)
    assert "is a link out of the model's folder" in refusal(lambda: store.add(tiny.folder))
    assert not (places[0] / "tiny").exists()


def test_the_folder_itself_may_be_a_link(places, tiny, tmp_path):
    (tmp_path / "link").symlink_to(tiny.folder)
    assert store.add(tmp_path / "link").name == "tiny"


# Archives


def pack(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def files_of(bundle):
    return [(path.name, path.read_bytes()) for path in bundle.folder.iterdir()]


@pytest.mark.parametrize("name", ["bundle.json", "README.md"])
def test_texts_that_grow_beyond_use_are_not_unpacked(places, tiny, tmp_path, name):
    others = [each for each in files_of(tiny) if each[0] != name]
    bomb = pack(tmp_path / "bomb.zip", [*others, (name, b" " * 50_000_000)])
    assert bomb.stat().st_size < 200_000
    assert "is larger than 4 MB when unpacked" in refusal(lambda: store.add(bomb))


def test_a_header_that_lies_about_the_size_does_not_help(places, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_WEIGHTS", 1000)
    name = "weights.safetensors"
    bomb = pack(tmp_path / "bomb.zip", [*(each for each in files_of(tiny) if each[0] != name), (name, b"\0" * 100_000)])
    content = bomb.read_bytes().replace(struct.pack("<I", 100_000), struct.pack("<I", 900))
    bomb.write_bytes(content)
    refusal(lambda: store.add(bomb))


def test_too_many_entries_links_and_entries_twice_are_refused(places, tiny, tmp_path):
    many = pack(tmp_path / "many.zip", [*files_of(tiny), *((f"{number:0200}", b"") for number in range(5000))])
    assert "more files than any model" in refusal(lambda: store.add(many))
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    linked = pack(tmp_path / "linked.zip", [*files_of(tiny), (link, b"/etc/passwd")])
    assert "is a link" in refusal(lambda: store.add(linked))
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = pack(tmp_path / "twice.zip", [*files_of(tiny), ("weights.safetensors", b"")])
    assert "is in it twice" in refusal(lambda: store.add(twice))


# Names and texts


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "..",
        "con",
        "nul",
        "com1",
        "lpt9.x",
        "aux.model",
        "auto",
        "a/b",
        "a\\b",
        "a\n",
        "a\0",
        "a.",
        "a ",
        "A",
        "é",
        "",
    ],
)
def test_reserved_and_unsafe_names_are_refused(tiny, name):
    assert NAME.misfit(name, "name") is not None
    edit(tiny.folder, name=name)
    assert "its field 'name' must be" in refusal(lambda: read_bundle(tiny.folder))


@pytest.mark.parametrize("name", ["con.safetensors", "../w.safetensors", "w.safetensors\n", "é.safetensors"])
def test_reserved_and_unsafe_names_of_the_weights_are_refused(tiny, name):
    facts = json.loads((tiny.folder / "bundle.json").read_text(encoding="utf-8"))["weights"]
    edit(tiny.folder, weights={**facts, "file": name})
    assert "its field 'weights.file' must be" in refusal(lambda: read_bundle(tiny.folder))


def test_control_characters_in_texts_are_escaped_at_the_door(tiny):
    edit(tiny.folder, title="Good\x1b[2J\nmodel\u202e", scores=[{"pro\x07tocol": "\r"}])
    bundle = read_bundle(tiny.folder)
    assert bundle.title == r"Good\x1b[2J\nmodel\u202e"
    assert bundle.scores == [{r"pro\x07tocol": r"\r"}]


def test_a_description_larger_than_any_is_refused(tiny):
    (tiny.folder / "bundle.json").write_text(" " * 5_000_000, encoding="utf-8")
    assert "is larger than 4 MB" in refusal(lambda: read_bundle(tiny.folder))
