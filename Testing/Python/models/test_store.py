"""Models are found, added and removed, and one that is broken spoils nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import ModelError, OutputPathError
from MedInpaintLib.models import store
from MedInpaintLib.models.bundle import read_bundle
from MedInpaintLib.models.card import card
from MedInpaintLib.models.recipes import FOLDER, recipes
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.run import METHODS

RELEASED = Path(__file__).parents[3] / "Resources" / "Models"


def pack(archive: Path, folder: Path, under: str = "") -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in folder.iterdir():
            file.write(path, under + path.name)
    return archive


def contents(bundle) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in bundle.folder.iterdir()}


# Places


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "home/.cache/medinpaint/models"),
        ("linux", {"XDG_CACHE_HOME": "{home}/fast"}, "home/fast/medinpaint/models"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "home/.cache/medinpaint/models"),
        ("darwin", {"XDG_CACHE_HOME": "{home}/fast"}, "home/Library/Caches/medinpaint/models"),
        ("win32", {"LOCALAPPDATA": "{home}/Local"}, "home/Local/medinpaint/models"),
        ("win32", {}, "home/AppData/Local/medinpaint/models"),
        ("linux", {"MEDINPAINT_MODELS": "{home}/mine"}, "home/mine"),
        ("win32", {"MEDINPAINT_MODELS": "~/mine"}, "home/mine"),
        ("linux", {"MEDINPAINT_MODELS": ""}, "home/.cache/medinpaint/models"),
    ],
)
def test_the_users_folder_is_where_the_platform_wants_it(monkeypatch, tmp_path, platform, environment, expected):
    home = tmp_path / "home"
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("MEDINPAINT_MODELS", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(home=home))
    assert store.user_folder() == tmp_path / expected


def test_all_places_are_looked_at_in_alphabetical_order(places, write):
    own, released = places
    own.mkdir(parents=True)
    write(released / "b", name="b")
    write(own / "c", name="c")
    write(released / "a", name="a")
    assert list(store.models()) == ["a", "b", "c"]
    assert [store.is_released(bundle) for bundle in store.models().values()] == [True, True, False]


def test_the_users_model_goes_before_the_released_one(places, write):
    own, released = places
    own.mkdir(parents=True)
    write(released / "tiny", title="Released")
    write(own / "tiny", title="Mine")
    assert store.models()["tiny"].title == store.find("tiny").title == "Mine"


def test_without_any_folder_there_are_no_models(places):
    places[1].rmdir()
    assert store.models() == {}
    assert store.broken() == {}


def test_models_is_a_function_of_the_package_after_use_too(places, write):
    write(places[1] / "tiny")
    assert list(mi.list_models()) == ["tiny"]
    assert mi.models.store.find("tiny").name == "tiny"
    assert list(mi.list_models()) == ["tiny"]


def test_files_and_hidden_folders_in_a_place_are_no_models(places):
    (places[1] / "README.md").write_text("")
    (places[1] / ".medinpaint-abc").mkdir()
    assert store.models() == store.broken() == {}


# Finding


def test_a_path_is_as_good_as_a_name(places, tiny):
    assert store.find(tiny.folder) == store.find(str(tiny.folder)) == tiny


def test_a_model_that_is_not_there_may_have_a_recipe(places):
    """That of kernel 7 was released once."""
    with pytest.raises(ModelError, match=r"no model 'brain-mr-vae-7'; its recipe makes it \('medinpaint train "):
        store.find("brain-mr-vae-7")


def test_a_name_goes_before_a_folder_of_that_name(places, write, tmp_path, monkeypatch):
    write(places[1] / "tiny", title="Released")
    write(tmp_path / "tiny", title="Here")
    monkeypatch.chdir(tmp_path)
    assert store.find("tiny").title == "Released"
    assert store.find("./tiny").title == store.find(Path("tiny")).title == "Here"


@pytest.mark.parametrize("name", ["magic", "", "no/where", "../tiny"])
def test_an_unknown_name_lists_what_there_is(places, write, name):
    with pytest.raises(ModelError, match="there are none; 'medinpaint models add' adds one"):
        store.find(name)
    write(places[1] / "b", name="b")
    write(places[1] / "a", name="a")
    with pytest.raises(ModelError, match=f"There is no model '{name}'; the models are: a, b."):
        store.find(name)


# Broken ones


def test_a_broken_model_hides_no_other_and_says_why(places, write):
    own, released = places
    own.mkdir(parents=True)
    write(released / "good", name="good")
    write(own / "bad", name="bad").weights_path.write_bytes(b"")
    write(own / "other", name="misnamed")
    (own / "empty").mkdir()
    assert list(store.models()) == ["good"]
    why = store.broken()
    assert list(why) == [own / "bad", own / "empty", own / "other"]
    assert "cut off" in why[own / "bad"]
    assert "no bundle.json" in why[own / "empty"]
    assert "holds the model 'misnamed'; rename one of the two" in why[own / "other"]
    with pytest.raises(ModelError, match="cut off"):
        store.find("bad")


def test_a_broken_model_of_the_users_is_not_replaced_by_the_released_one_unnoticed(places, write):
    own, released = places
    own.mkdir(parents=True)
    write(released / "tiny")
    write(own / "tiny").weights_path.unlink()
    assert "tiny" not in store.models()
    with pytest.raises(ModelError, match="are missing"):
        store.find("tiny")


def test_a_broken_released_model_does_not_matter_where_the_user_has_one(places, write):
    own, released = places
    own.mkdir(parents=True)
    write(released / "tiny").weights_path.unlink()
    write(own / "tiny", title="Mine")
    assert store.find("tiny").title == "Mine"
    assert list(store.broken()) == [released / "tiny"]


# Adding


def test_a_folder_is_added(places, tiny):
    own, _ = places
    (tiny.folder / "checkpoints").mkdir()  # only what makes a bundle is copied
    added = store.add(tiny.folder)
    assert added.folder == own / "tiny"
    assert store.models() == {"tiny": added}
    added.verify()
    assert set(contents(added)) == {"bundle.json", "weights.safetensors", "README.md"}
    assert list(own.iterdir()) == [own / "tiny"]
    tiny.verify()


@pytest.mark.parametrize("under", ["", "tiny/", "deep/down/"])
def test_a_zip_file_is_added(places, tiny, tmp_path, under):
    added = store.add(pack(tmp_path / "m.zip", tiny.folder, under))
    added.verify()
    assert contents(added) == contents(tiny)


def test_other_files_in_a_zip_file_stay_there(places, tiny, tmp_path):
    archive = pack(tmp_path / "m.zip", tiny.folder, "tiny/")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("tiny/run.py", "")
        file.writestr("__MACOSX/tiny/._bundle.json", "")
    assert set(contents(store.add(archive))) == {"bundle.json", "weights.safetensors", "README.md"}


def test_a_model_without_a_card_is_added_too(places, tiny):
    (tiny.folder / "README.md").unlink()
    store.add(tiny.folder).verify()


@pytest.mark.parametrize("name", ["../evil.txt", "tiny/../../evil.txt", "/evil.txt", "..\\evil.txt", "C:\\evil.txt"])
def test_a_zip_file_that_leads_out_of_itself_is_refused(places, tiny, tmp_path, name):
    archive = pack(tmp_path / "m.zip", tiny.folder, "tiny/")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(name, "evil")
    with pytest.raises(ModelError, match="leads out of the archive"):
        store.add(archive)
    assert not list(tmp_path.rglob("*evil*"))
    assert store.models() == {}


def test_a_zip_file_must_hold_one_model(places, tiny, tmp_path):
    archive = pack(tmp_path / "m.zip", tiny.folder, "a/")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("b/bundle.json", "{}")
    with pytest.raises(ModelError, match=r"must hold one model; found 2 files named bundle\.json"):
        store.add(archive)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("b/notes.txt", "")
    with pytest.raises(ModelError, match="must hold one model; found 0"):
        store.add(archive)


def test_what_is_neither_folder_nor_zip_file_is_refused(places, tmp_path):
    (tmp_path / "m.zip").write_bytes(b"not a zip file")
    with pytest.raises(ModelError, match=r"cannot be unpacked as a \.zip file"):
        store.add(tmp_path / "m.zip")
    with pytest.raises(ModelError, match="no folder or file"):
        store.add(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="holds no model"):
        store.add(tmp_path)


def test_a_damaged_zip_file_is_refused(places, tiny, tmp_path):
    archive = pack(tmp_path / "m.zip", tiny.folder)
    data = bytearray(archive.read_bytes())
    where = data.index(b"weights.safetensors") + 60  # in the packed weights
    data[where] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(ModelError):
        store.add(archive)
    assert store.models() == store.broken() == {}


def test_damaged_weights_are_not_added_and_the_source_is_named(places, tiny, tmp_path):
    data = bytearray(tiny.weights_path.read_bytes())
    data[-1] ^= 1
    tiny.weights_path.write_bytes(data)
    archive = pack(tmp_path / "m.zip", tiny.folder, "tiny/")
    for source, named in ((tiny.folder, tiny.weights_path), (archive, archive / "weights.safetensors")):
        with pytest.raises(ModelError, match="altered") as caught:
            store.add(source)
        assert str(named) in str(caught.value)
    assert not places[0].exists()


def test_a_model_is_replaced_on_request_alone(places, write, tmp_path):
    store.add(write(tmp_path / "first", title="First").folder)
    second = write(tmp_path / "second", title="Second")
    for source in (second.folder, pack(tmp_path / "m.zip", second.folder)):
        with pytest.raises(ModelError, match=r"There is a model 'tiny' in .* already.*--replace .*replace=True"):
            store.add(source)
    assert store.find("tiny").title == "First"
    assert store.add(second.folder, replace=True).title == "Second"
    assert store.find("tiny").title == "Second"
    assert store.add(places[0] / "tiny", replace=True).title == "Second"  # onto itself
    store.find("tiny").verify()


def test_replacing_never_deletes_files_that_are_no_models(places, tiny):
    store.add(tiny.folder)
    (places[0] / "tiny" / "thesis.tex").write_text("")
    with pytest.raises(OutputPathError, match=r"thesis\.tex"):
        store.add(tiny.folder, replace=True)
    assert (places[0] / "tiny" / "thesis.tex").exists()


def test_a_model_may_have_the_name_of_a_released_one(places, write, tmp_path):
    write(places[1] / "tiny", title="Released")
    store.add(write(tmp_path / "mine", title="Mine").folder)
    assert store.find("tiny").title == "Mine"
    store.remove("tiny")
    assert store.find("tiny").title == "Released"


# Removing


def test_a_model_is_removed_whole_or_broken(places, tiny):
    own, _ = places
    store.add(tiny.folder)
    store.remove("tiny")
    assert list(own.iterdir()) == []
    store.add(tiny.folder)
    (own / "tiny" / "bundle.json").write_text("{")
    store.remove("tiny")
    assert list(own.iterdir()) == []


def test_a_released_model_is_not_removed(places, write):
    bundle = write(places[1] / "tiny")
    with pytest.raises(ModelError, match="'tiny' comes with MedInpaint and cannot be removed"):
        store.remove("tiny")
    bundle.verify()


@pytest.mark.parametrize("name", ["magic", "", ".", "..", "../models", "tiny/"])
def test_what_is_no_model_of_the_users_is_not_removed(places, tiny, name):
    store.add(tiny.folder)
    with pytest.raises(ModelError, match="to remove; your own models are: tiny"):
        store.remove(name)
    store.find("tiny").verify()


def test_files_that_are_no_models_are_not_removed(places):
    papers = places[0] / "papers"
    papers.mkdir(parents=True)
    (papers / "thesis.tex").write_text("")
    with pytest.raises(ModelError, match=r"holds more than a model \('thesis\.tex'\); remove it by hand"):
        store.remove("papers")
    assert (papers / "thesis.tex").exists()


def test_of_a_linked_model_only_the_link_is_removed(places, tiny):
    own, _ = places
    own.mkdir(parents=True)
    (own / "tiny").symlink_to(tiny.folder)
    assert store.find("tiny").title == tiny.title
    store.remove("tiny")
    assert store.models() == {}
    tiny.verify()


# The package itself


def test_the_models_that_come_with_medinpaint_are_whole():
    released = [folder for place in store._RELEASED for folder in store._folders(place)]
    for folder in released:
        bundle = store._checked(folder)
        bundle.verify()
        assert (folder / "README.md").is_file()


def test_looking_at_models_loads_no_pytorch(places, tiny):
    store.add(tiny.folder)
    code = "import sys, MedInpaintLib as mi; assert 'tiny' in mi.list_models(); print('torch' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "False"


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in RELEASED.glob("*/bundle.json")), ids=lambda at: at.name
)
def test_the_cards_of_released_models_say_what_their_facts_say(folder):
    bundle = read_bundle(folder)
    method = METHODS.get(bundle.architecture, bundle.architecture)
    assert (folder / "README.md").read_text(encoding="utf-8") == card(bundle, method)
    assert bundle.megabytes < 5


def test_without_a_model_the_error_names_the_recipes(places):
    with pytest.raises(ModelError, match=r"no model of the architecture 'rfr'; train one .*brain-mr-rfr for MR"):
        store.choose("auto", "rfr", "CT")
    with pytest.raises(ModelError, match=r"no model of the architecture 'magic'; add one"):
        store.choose("auto", "magic", "CT")


def test_which_modalities_there_are_models_for(places, write):
    own, _ = places
    own.mkdir(parents=True)
    write(own / "a", name="a", modality="film")
    write(own / "b", name="b", modality="MR")
    write(own / "c", name="c", modality="CT", architecture="vae")
    assert store.modalities("unet") == ["MR", "film"]
    assert store.available("unet", "film")
    assert not store.available("unet", "CT")
    assert store.fitting("unet", "CT").name == "a", "another modality's, which the method may refuse"


def test_recipes_are_found_without_a_parser():
    known = {path.stem: read_recipe(path.stem) for path in FOLDER.glob("*.toml")}
    # What other recipes' losses compare features of is no model for a fill, although its architecture has a method.
    features = {each.task["features"] for each in known.values() if "features" in each.task} & {*known}
    assert {"chest-film-features", "body-ct-features"} <= features
    for architecture in {each.architecture for each in known.values()}:
        expected = {
            name: each.data.modality
            for name, each in sorted(known.items())
            if each.architecture == architecture and name not in features
        }
        assert recipes(architecture) == expected
