"""A bundle gives back what it was given, and says what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys

import numpy as np
import pytest
import torch

from MedInpaintLib.errors import InputError, MissingDependencyError, ModelError, OutputError, OutputPathError
from MedInpaintLib.models.bundle import load_into, read_bundle


def network(kernel: int = 3) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, kernel), torch.nn.BatchNorm2d(2))


def change(bundle, edit):
    """Rewrite bundle.json as ``edit`` leaves its fields."""
    path = bundle.folder / "bundle.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    edit(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")


def message(bundle) -> str:
    """What reading the bundle says: one line that names the file."""
    with pytest.raises(ModelError) as caught:
        read_bundle(bundle.folder)
    text = str(caught.value)
    assert "\n" not in text
    assert str(bundle.folder / "bundle.json") in text
    return text


# Round trip


def test_what_was_written_is_read(tiny, facts):
    found = read_bundle(tiny.folder)
    assert found == tiny
    for name, value in facts.items():
        assert getattr(found, name) == (tuple(value) if name == "contrasts" else value)
    assert found.format == 1
    assert {path.name for path in tiny.folder.iterdir()} == {"bundle.json", "weights.safetensors", "README.md"}


@pytest.mark.parametrize(("dtype", "exact"), [("float32", True), ("float16", False), ("bfloat16", False)])
def test_weights_come_back_as_float32_on_the_cpu_whatever_was_stored(write, tensors, tmp_path, dtype, exact):
    bundle = write(tmp_path / "bundle", dtype=dtype)
    assert bundle.weights_file["dtype"] == dtype
    found = bundle.weights()
    assert list(sorted(found)) == sorted(tensors)
    for name, tensor in tensors.items():
        floating = tensor.is_floating_point()
        stored = tensor.to(getattr(torch, dtype)) if floating else tensor
        assert found[name].dtype == (torch.float32 if floating else tensor.dtype)
        assert found[name].device.type == "cpu"
        assert torch.equal(found[name], stored.to(found[name].dtype))
    assert torch.equal(found["0.weight"], tensors["0.weight"]) == exact


def test_float16_takes_half_of_the_room(write, tmp_path):
    many = {"weight": torch.zeros(10_000)}
    half, full = (write(tmp_path / dtype, dtype=dtype, tensors=many) for dtype in ("float16", "float32"))
    assert half.weights_path.stat().st_size == half.weights_file["bytes"]
    assert full.weights_file["bytes"] - half.weights_file["bytes"] == 20_000
    assert half.megabytes == half.weights_file["bytes"] / 1e6


def test_integers_and_tied_weights_are_stored_as_they_are(write, tmp_path):
    weight = torch.randn(4, 4, requires_grad=True)
    tensors = {"a": weight, "b": weight, "turned": weight.T, "n": torch.tensor(2**40)}
    bundle = write(tmp_path / "b", dtype="float32", tensors=tensors)
    found = bundle.weights()
    assert torch.equal(found["a"], weight.detach())
    assert torch.equal(found["b"], weight.detach())
    assert torch.equal(found["turned"], weight.detach().T)
    assert found["n"].item() == 2**40
    found["a"].add_(1)  # memory of its own
    assert torch.equal(found["b"], weight.detach())


def test_the_same_input_gives_the_same_bytes(write, tmp_path):
    first, second = (write(tmp_path / name) for name in "ab")
    for path in first.folder.iterdir():
        assert path.read_bytes() == (second.folder / path.name).read_bytes()


def test_numbers_of_numpy_and_torch_are_welcome(write, tmp_path):
    bundle = write(tmp_path / "b", scores=[{"psnr": np.float32(20.5), "n": np.int64(3), "loss": torch.tensor(0.25)}])
    assert read_bundle(bundle.folder).scores == [{"psnr": 20.5, "n": 3, "loss": 0.25}]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_other_users_may_read_what_new_files_let_them(tiny, tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "file").write_text("")
    assert stat.S_IMODE(tiny.folder.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    for path in tiny.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain" / "file").stat().st_mode)


# Weights that are not as they were


def test_intact_weights_are_verified(tiny):
    tiny.check_size()
    tiny.verify()


def test_missing_weights_are_named(tiny):
    tiny.weights_path.unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors' of the model 'tiny' are missing"):
        tiny.weights()


@pytest.mark.parametrize(("length", "words"), [(-1, "are cut off: "), (None, "are cut off: 0 of ")])
def test_truncated_weights_are_told_from_altered_ones(tiny, length, words):
    tiny.weights_path.write_bytes(tiny.weights_path.read_bytes()[: length or 0])
    for check in (tiny.check_size, tiny.verify, tiny.weights):
        with pytest.raises(ModelError, match=words):
            check()


def test_weights_that_grew_were_altered(tiny):
    tiny.weights_path.write_bytes(tiny.weights_path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"altered: \d+ bytes instead of \d+"):
        tiny.verify()


@pytest.mark.parametrize("where", [0, -1])
def test_one_changed_byte_is_found(tiny, where):
    data = bytearray(tiny.weights_path.read_bytes())
    data[where] ^= 1
    tiny.weights_path.write_bytes(data)
    tiny.check_size()
    for check in (tiny.verify, tiny.weights):
        with pytest.raises(ModelError, match="altered: the size is right, but the sha256 is"):
            check()


def test_a_file_of_another_kind_is_refused_even_with_the_right_sha256(tiny):
    tiny.weights_path.write_bytes(b"a pickle, perhaps")
    change(
        tiny,
        lambda fields: fields["weights"].update(
            bytes=17, sha256=hashlib.sha256(tiny.weights_path.read_bytes()).hexdigest()
        ),
    )
    with pytest.raises(ModelError, match="no safetensors file"):
        read_bundle(tiny.folder).weights()


def test_without_safetensors_the_message_gives_the_command(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingDependencyError, match="pip install torch safetensors"):
        tiny.weights()


# bundle.json


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no model: there is no bundle\.json"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"name": NaN}', "\xff", "[" * 100_000])
def test_what_is_not_json_is_refused(tiny, text):
    (tiny.folder / "bundle.json").write_bytes(text.encode("latin-1"))
    assert "is not JSON" in message(tiny)


def test_json_of_another_kind_is_refused(tiny):
    (tiny.folder / "bundle.json").write_text("[1]")
    assert "it must hold one JSON object" in message(tiny)


def test_a_byte_order_mark_does_no_harm(tiny):
    path = tiny.folder / "bundle.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_bundle(tiny.folder) == tiny


FIELDS = (
    *("format", "name", "title", "architecture", "arguments", "modality", "contrasts", "normalisation", "input"),
    *("training", "scores", "weights", "normalisation.centre", "normalisation.half_width", "input.pixels"),
    *("input.pixel_mm", "input.plane", "training.recipe", "training.steps", "training.seed", "training.data"),
    *("weights.file", "weights.sha256", "weights.bytes", "weights.dtype"),
)


def place(fields, path):
    *above, last = path.split(".")
    for name in above:
        fields = fields[name]
    return fields, last


@pytest.mark.parametrize("path", FIELDS)
def test_a_missing_field_is_named(tiny, path):
    def edit(fields):
        record, name = place(fields, path)
        del record[name]

    change(tiny, edit)
    assert f"its field '{path}' is missing" in message(tiny)


@pytest.mark.parametrize("value", [None, True])
@pytest.mark.parametrize("path", FIELDS)
def test_a_field_of_the_wrong_type_is_named_with_what_was_found(tiny, path, value):
    def edit(fields):
        record, name = place(fields, path)
        record[name] = value

    change(tiny, edit)
    assert f"its field '{path}' must be " in message(tiny)
    assert f"found {'null' if value is None else 'True'}" in message(tiny)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "../up"),
        ("name", "Tiny"),
        ("name", "a" * 65),
        ("name", "-x"),
        ("title", " "),
        ("contrasts", []),
        ("contrasts", ["T1", 2]),
        ("contrasts", "T1"),
        ("normalisation.half_width", 0),
        ("normalisation.centre", 10**400),
        ("input.pixels", 64.5),
        ("input.pixels", 0),
        ("input.plane", "oblique"),
        ("input.also", "axial"),
        ("input.slice_mm", 0),
        ("input.hint", None),
        ("training.steps", -1),
        ("weights.file", "../weights.safetensors"),
        ("weights.file", "weights.pt"),
        ("weights.sha256", "0" * 63),
        ("weights.dtype", "int8"),
        ("weights.dtype", []),
    ],
)
def test_a_value_out_of_range_is_refused(tiny, path, value):
    def edit(fields):
        record, name = place(fields, path)
        record[name] = value

    change(tiny, edit)
    assert f"its field '{path}' must be " in message(tiny)


def test_rows_are_checked_and_named_by_their_number(tiny):
    change(tiny, lambda fields: fields["training"]["data"].append({"dataset": "More"}))
    assert "its field 'training.data[1].licence' is missing" in message(tiny)
    change(tiny, lambda fields: fields.update(scores=[{}, 3]))
    change(tiny, lambda fields: fields["training"].update(data=[]))
    assert "its field 'scores[1]' must be an object" in message(tiny)


def test_a_newer_format_asks_for_a_newer_program(tiny):
    change(tiny, lambda fields: fields.clear() or fields.update(format=2))
    assert "is of format 2, and this MedInpaint reads format 1" in message(tiny)


def test_fields_that_are_not_known_do_no_harm(tiny):
    change(tiny, lambda fields: fields.update(folder="elsewhere", mood="good"))
    assert read_bundle(tiny.folder) == tiny


# Fit for its use


def test_the_architecture_is_checked(tiny):
    tiny.check_architecture("unet")
    tiny.check_architecture("gan", "unet")
    with pytest.raises(ModelError, match="'tiny' has the architecture 'unet', and 'gan' or 'vae' is needed"):
        tiny.check_architecture("gan", "vae")


def test_a_network_gets_its_weights_and_is_ready_for_use(tiny):
    torch.manual_seed(1)
    module = network()
    assert load_into(module, tiny) is module
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, tiny.weights()[name])
    assert not any(part.training for part in module.modules())
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_weights_of_another_shape_are_refused(tiny):
    with pytest.raises(
        ModelError, match=r"fit the network Sequential: '0.weight' is 2 x 1 x 3 x 3 in the model and 2 x 1 x 5 x 5 in"
    ):
        load_into(network(kernel=5), tiny)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda tensors: tensors.pop("1.bias"), "'1.bias' is missing in the model and 2 in the network"),
        (lambda tensors: tensors.update(more=torch.tensor(1)), "'more' is a single number in the model and missing in"),
    ],
)
def test_weights_that_are_missing_or_too_many_are_refused(write, tensors, tmp_path, edit, words):
    edit(tensors)
    module = network()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(ModelError, match=words):
        load_into(module, write(tmp_path / "b", tensors=tensors))
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


# Writing


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dtype": "int8"}, "cannot be stored as 'int8'; choose one of: float16, bfloat16, float32"),
        ({"tensors": {}}, "no weights to store"),
        ({"tensors": {"w": torch.tensor([0.0, float("nan")])}}, "'w' hold NaN or infinity"),
        ({"tensors": {"w": torch.tensor([7e4])}}, "'w' are too large for float16; store them as float32"),
        ({"name": "No Name"}, "its field 'name' must be"),
        ({"scores": [{"psnr": float("inf")}]}, "a field that JSON cannot hold"),
        ({"arguments": {"act": torch.nn.ReLU}}, "a field that JSON cannot hold"),
    ],
)
def test_what_cannot_be_read_again_is_not_written(write, tmp_path, changes, words):
    with pytest.raises(ModelError, match=words):
        write(tmp_path / "b", **changes)
    assert list(tmp_path.iterdir()) == []


def test_an_old_bundle_is_replaced_as_a_whole(write, tiny):
    (tiny.folder / "old.safetensors").write_bytes(b"")
    write(tiny.folder, title="Another")
    assert read_bundle(tiny.folder).title == "Another"
    assert {path.name for path in tiny.folder.iterdir()} == {"bundle.json", "weights.safetensors", "README.md"}
    assert list(tiny.folder.parent.iterdir()) == [tiny.folder]


def test_an_empty_folder_is_taken(write, tmp_path):
    (tmp_path / "b").mkdir()
    write(tmp_path / "b").verify()


def test_a_link_stays_and_leads_to_the_new_bundle(write, tiny, tmp_path):
    (tmp_path / "link").symlink_to(tiny.folder)
    write(tmp_path / "link", title="Another")
    assert (tmp_path / "link").is_symlink()
    assert read_bundle(tiny.folder).title == "Another"


def test_nothing_but_a_bundle_is_ever_replaced(write, tiny, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "README.md").write_text("mine")
    (tiny.folder / "checkpoints").mkdir()
    for folder, words in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "papers", "is not empty and holds no model"),
        (tiny.folder, r"holds more than a model \('checkpoints'\)"),
        (tmp_path / "nowhere" / "b", "does not exist; create it first"),
    ):
        with pytest.raises(OutputPathError, match=words):
            write(folder, title="Another")
    assert (tmp_path / "papers" / "README.md").read_text() == "mine"
    assert read_bundle(tiny.folder) == tiny


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2])
def test_when_a_rename_fails_the_old_bundle_is_there_again(write, tiny, monkeypatch, fault, at):
    calls = []
    rename = os.rename

    def failing(source, target):
        calls.append(source)
        if len(calls) == at:
            raise fault
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OutputError if isinstance(fault, OSError) else KeyboardInterrupt):
        write(tiny.folder, title="Another")
    assert read_bundle(tiny.folder) == tiny
    tiny.verify()
    assert list(tiny.folder.parent.iterdir()) == [tiny.folder]


def test_the_old_bundle_is_kept_even_where_it_cannot_be_moved_back(write, tiny, monkeypatch):
    calls = []
    rename = os.rename

    def failing(source, target):
        calls.append(source)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OutputError):
        write(tiny.folder, title="Another")
    (kept,) = tiny.folder.parent.glob(".medinpaint-*/old/*")
    assert read_bundle(kept).title == tiny.title


# The card


def test_the_card_says_what_one_must_know(tiny):
    text = (tiny.folder / "README.md").read_text(encoding="utf-8")
    for words in (
        "# A tiny model",
        "`tiny`",
        "Architecture `unet` (width = 4)",
        "T1, FLAIR",
        "64 x 64 pixels of 1.5 mm",
        "(scaled - 0.5) / 0.25",
        "Recipe `tiny`, 100 steps, seed 7.",
        "| dataset | subjects | licence | citation |\n|---|---|---|---|\n| Heads | 12 | CC BY 4.0 | Doe 2020; a\\|b |",
        "Protocol: val split, R = 1\n\n| holes | psnr | n |\n|---|---|---|\n| 20 mm | 23.46 ± 1.5 | 6 |\n",
        "\n| 40 mm | 18 | 6 |\n",
        "--method METHOD --set model=tiny",
        "not for clinical use",
        "## Limits",
    ):
        assert words in text
    assert text.count("Protocol:") == 1


def test_the_card_names_the_method_and_admits_what_is_not_known(write, tmp_path):
    bundle = write(tmp_path / "b", method="pconv", scores=[], training={**TRAINING, "data": []}, arguments={})
    text = (bundle.folder / "README.md").read_text(encoding="utf-8")
    assert "--method pconv --set model=tiny" in text
    assert "None were measured" in text
    assert "No data are named." in text


def test_scores_are_grouped_by_protocol(write, tmp_path):
    scores = [{"psnr": 20.0}, {"psnr": 21.0, "protocol": "P"}, {"ssim": 0.5}]
    text = (write(tmp_path / "b", scores=scores).folder / "README.md").read_text(encoding="utf-8")
    assert "Protocol: not stated\n\n| psnr | ssim |\n|---|---|\n| 20 |  |\n|  | 0.5 |" in text
    assert "Protocol: P\n\n| psnr |\n|---|\n| 21 |" in text


TRAINING = {"recipe": "tiny", "steps": 0, "seed": 0}
