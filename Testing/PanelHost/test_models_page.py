"""The tab "Models", clicked through: list and card, add, remove, verify, cite, use; and all that can be wrong."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import qt
import slicer
from panelhost import bundles, host, mrml
from panelhost.phantom import addHead, addSegmentation, addVolume, box, head
from PySide6 import QtWidgets

import MedInpaintLib
from MedInpaintLib.models import store

RELEASED = sorted(path.parent for path in (mrml.REPOSITORY / "Resources" / "Models").glob("*/bundle.json"))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of the user's own models, which is not there yet."""
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def panel(own):
    """The module's widget, open on an empty scene with this tab in front."""
    with host.openedPanel() as widget:
        _show(widget, widget.modelsPage)
        yield widget


@pytest.fixture
def answers(monkeypatch):
    """The answers that the user gives to questions, in their order; a question for which there is none fails."""
    given = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, windowTitle: given.pop(0))
    return given


@pytest.fixture
def questions(monkeypatch, answers):
    """The questions that were asked."""
    asked, answer = [], slicer.util.confirmOkCancelDisplay

    def ask(text, windowTitle):
        asked.append(text)
        return answer(text, windowTitle)

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", ask)
    return asked


def _show(panel, page):
    panel.ui.tabWidget.currentIndex = panel.pages.index(page)
    host.processEvents()


def _names(panel):
    models = panel.modelsPage.ui.modelsList
    # The first line of a row has the title, or the name of a broken one; the second one begins with the name.
    rows = [models.item(row).text().splitlines() for row in range(models.count)]
    return [first if second.startswith("broken") else second.partition(",")[0] for first, second in rows]


def _choose(panel, name):
    panel.modelsPage.ui.modelsList.currentRow = _names(panel).index(name)


def _reopen(panel):
    """As when the user goes to another tab and comes back."""
    _show(panel, panel.fillPage)
    _show(panel, panel.modelsPage)


def _add(panel, monkeypatch, source):
    """Click the button for a folder or a .zip file, and choose it in the dialog."""
    kind, button = ("getExistingDirectory", "Folder") if Path(source).is_dir() else ("getOpenFileName", "Zip")
    monkeypatch.setattr(qt.QFileDialog, kind, staticmethod(lambda *arguments: str(source)))
    getattr(panel.modelsPage.ui, f"addModel{button}Button").click()


def _messages(panel):
    """Error and result; each is in sight if there is something to say, and not both."""
    labels = panel.modelsPage.ui.modelsErrorLabel, panel.modelsPage.ui.modelsResultLabel
    assert all(label.visible == bool(label.text) for label in labels)
    assert not all(label.text for label in labels)
    return tuple(label.text for label in labels)


def _error(panel):
    error, result = _messages(panel)
    assert result == ""
    assert QtWidgets.QApplication.overrideCursor() is None
    return error


def _result(panel):
    error, result = _messages(panel)
    assert error == ""
    assert QtWidgets.QApplication.overrideCursor() is None
    return result


def _pack(folder, archive, under=""):
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, under + path.name)
    return archive


def _contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# What is listed and told


def test_the_released_models_are_listed_with_their_facts(panel):
    assert _names(panel) == [folder.name for folder in RELEASED]
    for row, folder in enumerate(RELEASED):
        facts = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        size = (folder / "weights.safetensors").stat().st_size / 1e6
        title, line = panel.modelsPage.ui.modelsList.item(row).text().splitlines()
        assert title == facts["title"]
        assert line == f"{folder.name}, {facts['modality']}, {size:.1f} MB, released"


@pytest.mark.parametrize("folder", RELEASED, ids=lambda folder: folder.name)
def test_the_card_tells_licenses_citations_limits_and_scores(panel, folder):
    _choose(panel, folder.name)
    facts = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    text = " ".join(panel.modelsPage.ui.modelCardBrowser.toPlainText().split())
    assert text.startswith(facts["title"])
    for row in facts["training"]["data"]:
        for each in (row["dataset"], row["licence"], row["citation"], f"{row['subjects']} subject(s)"):
            assert " ".join(each.split()) in text
    assert "not for clinical use" in text
    assert all(heading in text for heading in ("Limits", "Training data", "Input", "Scores"))
    means = re.findall(r'"mean": ([\d.]+)', (folder / "bundle.json").read_text(encoding="utf-8"))
    assert len(means) > 5
    assert all(f"{float(mean):.4g} ±" in text for mean in means)


@pytest.mark.parametrize("folder", RELEASED, ids=lambda folder: folder.name)
def test_the_card_needs_no_sideways_scrolling_at_300_pixels(panel, folder):
    panel.parent.resize(300, 780)
    _choose(panel, folder.name)
    browser = panel.modelsPage.ui.modelCardBrowser
    host.waitUntil(lambda: browser.width < 300 and browser.horizontalScrollBar().maximum() == 0, seconds=2)


def test_texts_of_a_model_are_shown_as_they_are(panel, own):
    odd = "*Heads* | <b>bold</b> _x_ [a](b) `c` & # 1. \\"
    row = {"dataset": odd, "licence": odd, "citation": odd, "subjects": 1}
    training = {**bundles.FACTS["training"], "data": [row]}
    scores = [{"protocol": odd, "method": method, "holes": odd, "psnr": 20.0} for method in (odd, "other")]
    bundles.write(own, "odd", training=training, scores=scores)
    _reopen(panel)
    _choose(panel, "odd")
    # Three times in the training data; protocol, holes and column of the scores.
    assert panel.modelsPage.ui.modelCardBrowser.toPlainText().count(odd) == 6


def test_a_model_without_data_and_scores_says_so(panel, own):
    bundles.write(own, "bare", training={**bundles.FACTS["training"], "data": []})
    _reopen(panel)
    _choose(panel, "bare")
    text = panel.modelsPage.ui.modelCardBrowser.toPlainText()
    assert "No data are named." in text
    assert "nothing is known of how good it is" in text
    assert str(own / "bare") in text


def test_a_broken_model_is_listed_with_what_is_wrong(panel, own):
    (bundles.write(own, "cut") / "weights.safetensors").write_bytes(b"short")
    (own / "empty").mkdir()
    _reopen(panel)
    assert _names(panel)[-2:] == ["cut", "empty"]
    _choose(panel, "cut")
    ui = panel.modelsPage.ui
    text = ui.modelCardBrowser.toPlainText()
    assert "cut off: 5 of 3000 bytes" in text
    assert "Remove it, or add it again." in text
    assert (ui.useModelButton.enabled, ui.copyCitationButton.enabled) == (False, False)
    assert ui.useModelButton.toolTip == ui.copyCitationButton.toolTip == "The model 'cut' is broken."
    assert ui.removeModelButton.enabled
    _choose(panel, "empty")
    assert "no bundle.json" in ui.modelCardBrowser.toPlainText()


def test_without_any_model_the_tab_says_what_to_do(panel, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "_RELEASED", (tmp_path / "nowhere",))
    _reopen(panel)
    ui = panel.modelsPage.ui
    assert ui.modelsList.count == 0
    assert "There are no models" in ui.modelCardBrowser.toPlainText()
    for button in (ui.useModelButton, ui.copyCitationButton, ui.removeModelButton, ui.verifyModelButton):
        assert not button.enabled
        assert button.toolTip == "Choose a model in the list."
    _add(panel, monkeypatch, bundles.write(tmp_path, "first"))
    assert _names(panel) == ["first"]
    assert ui.useModelButton.enabled


def test_models_that_cannot_be_read_are_told(panel, monkeypatch):
    def refuse():
        raise PermissionError(13, "Permission denied", "models")

    monkeypatch.setattr(store, "models", refuse)
    _reopen(panel)
    assert _names(panel) == []
    assert "Permission denied" in _error(panel)
    _reopen(panel)
    assert panel.ui.logEdit.toPlainText().count("Permission denied") == 1
    monkeypatch.undo()
    _reopen(panel)
    assert _names(panel) != []
    assert _messages(panel) == ("", "")


def test_a_change_that_the_system_refuses_is_told(panel, own, monkeypatch, answers):
    bundles.write(own, "mine")
    _reopen(panel)
    _choose(panel, "mine")

    def refuse(name):
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(store, "remove", refuse)
    answers.append(True)
    panel.modelsPage.ui.removeModelButton.click()
    assert "Permission denied" in _error(panel)


# Add


@pytest.mark.parametrize("under", [None, "", "models/tiny/"])
def test_a_model_is_copied_from_a_folder_or_a_zip_file(panel, own, monkeypatch, tmp_path, under):
    folder = bundles.write(tmp_path / "source", "tiny")
    before = _contents(folder)
    source = folder if under is None else _pack(folder, tmp_path / "model.zip", under)
    _add(panel, monkeypatch, source)
    assert _contents(own / "tiny") == _contents(folder) == before
    assert _result(panel) == "The model 'tiny' is added to your own models; its weights are intact."
    models = panel.modelsPage.ui.modelsList
    assert models.currentItem().text() == "A tiny model\ntiny, MR, 0.0 MB, your own"
    assert "Heads" in panel.modelsPage.ui.modelCardBrowser.toPlainText()
    assert "The model 'tiny' is added" in panel.ui.logEdit.toPlainText()


def test_a_dialog_that_is_cancelled_changes_nothing(panel, own):
    panel.modelsPage.ui.addModelFolderButton.click()
    panel.modelsPage.ui.addModelZipButton.click()
    assert not own.exists()
    assert _messages(panel) == ("", "")


def _emptyFolder(folder):
    folder.mkdir()
    return folder


def _damaged(folder):
    made = bundles.write(folder, "tiny")
    bundles.damage(made)
    return made


def _cutOff(folder):
    made = bundles.write(folder, "tiny")
    (made / "weights.safetensors").write_bytes(b"short")
    return made


def _noJson(folder):
    made = bundles.write(folder, "tiny")
    (made / "bundle.json").write_bytes(b"\xff{")
    return made


def _badName(folder):
    return bundles.write(folder, "tiny", name="..")


def _noZip(folder):
    folder.mkdir()
    (folder / "model.zip").write_text("nothing")
    return folder / "model.zip"


def _zipOfTwo(folder):
    for name in ("one", "two"):
        bundles.write(folder / "both", name)
    archive = folder / "model.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (folder / "both").rglob("*.*"):
            file.write(path, path.relative_to(folder))
    return archive


def _damagedZip(folder):
    return _pack(_damaged(folder), folder / "model.zip")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_emptyFolder, "holds no model"),
        (_damaged, "were altered"),
        (_cutOff, "are cut off"),
        (_noJson, "is no text in UTF-8"),
        (_badName, "its field 'name' must be"),
        (_noZip, "cannot be unpacked as a .zip file"),
        (_zipOfTwo, "must hold one model; found 2"),
        (_damagedZip, "were altered"),
    ],
)
def test_what_is_no_model_or_damaged_is_told_in_a_line(panel, own, monkeypatch, tmp_path, make, words):
    before = _names(panel)
    _add(panel, monkeypatch, make(tmp_path / "source"))
    error = _error(panel)
    assert words in error
    assert "\n" not in error
    assert error in panel.ui.logEdit.toPlainText()
    assert not own.exists()
    assert _names(panel) == before


def test_a_model_of_that_name_is_replaced_only_when_the_user_says_so(
    panel, own, monkeypatch, tmp_path, answers, questions
):
    bundles.write(own, "tiny", title="Old")
    before = _contents(own / "tiny")
    new = bundles.write(tmp_path / "source", "tiny", title="New")
    answers += [False, True]
    _add(panel, monkeypatch, new)
    assert questions == ["You have a model 'tiny' already. Replace it?"]
    assert _contents(own / "tiny") == before
    assert _messages(panel) == ("", "")
    _add(panel, monkeypatch, _pack(new, tmp_path / "model.zip"))
    assert _contents(own / "tiny") == _contents(new) != before
    assert panel.modelsPage.ui.modelsList.currentItem().text().startswith("New\n")
    assert "'tiny' is added" in _result(panel)


def test_a_damaged_model_never_replaces_a_whole_one(panel, own, monkeypatch, tmp_path, answers):
    before = _contents(bundles.write(own, "tiny"))
    answers.append(True)
    _add(panel, monkeypatch, _damaged(tmp_path / "source"))
    assert "were altered" in _error(panel)
    assert _contents(own / "tiny") == before


def test_an_own_model_stands_for_the_released_one_until_it_is_removed(panel, own, monkeypatch, tmp_path, answers):
    """Nobody is asked then: the released one stays where it is."""
    _add(panel, monkeypatch, bundles.write(tmp_path, "brain-mr-unet"))
    assert _names(panel) == [folder.name for folder in RELEASED]
    assert panel.modelsPage.ui.modelsList.currentItem().text().startswith("A tiny model\n")
    answers.append(True)
    panel.modelsPage.ui.removeModelButton.click()
    assert panel.modelsPage.ui.modelsList.currentItem().text().endswith("released")
    assert _names(panel) == [folder.name for folder in RELEASED]


# Remove


def test_an_own_model_is_removed_when_the_user_says_so(panel, own, answers, questions):
    bundles.write(own, "tiny")
    bundles.write(own, "other")
    _reopen(panel)
    _choose(panel, "tiny")
    answers += [False, True]
    panel.modelsPage.ui.removeModelButton.click()
    assert "'tiny'" in questions[0]
    assert str(own / "tiny") in questions[0]
    assert (own / "tiny").is_dir()
    panel.modelsPage.ui.removeModelButton.click()
    assert [path.name for path in own.iterdir()] == ["other"]
    assert _result(panel) == "The model 'tiny' is removed."
    assert "tiny" not in _names(panel)
    assert panel.modelsPage.ui.modelsList.currentRow == len(_names(panel)) - 1


def test_a_broken_own_model_can_be_removed(panel, own, answers):
    (own / "empty").mkdir(parents=True)
    _reopen(panel)
    _choose(panel, "empty")
    answers.append(True)
    panel.modelsPage.ui.removeModelButton.click()
    assert list(own.iterdir()) == []


def test_a_folder_with_other_things_in_it_is_kept_and_told(panel, own, answers):
    kept = bundles.write(own, "tiny") / "thesis.txt"
    kept.write_text("years of work")
    _reopen(panel)
    _choose(panel, "tiny")
    answers.append(True)
    panel.modelsPage.ui.removeModelButton.click()
    assert "holds more than a model ('thesis.txt')" in _error(panel)
    assert kept.is_file()
    assert "tiny" in _names(panel)


def test_released_models_cannot_be_removed_and_the_button_says_why(panel):
    ui = panel.modelsPage.ui
    for folder in RELEASED:
        _choose(panel, folder.name)
        assert not ui.removeModelButton.enabled
        assert ui.removeModelButton.toolTip == f"The model '{folder.name}' comes with MedInpaint and cannot be removed."


def test_the_other_tabs_learn_of_a_model_that_comes_or_goes(panel, own, monkeypatch, tmp_path, answers):
    seen = []
    for page in (panel.fillPage, panel.contrastPage):
        monkeypatch.setattr(page, "refresh", lambda page=page: seen.append((page, sorted(store.models()))))
    _add(panel, monkeypatch, bundles.write(tmp_path, "a-tiny"))
    after = ["a-tiny", *(folder.name for folder in RELEASED)]
    assert seen == [(panel.fillPage, after), (panel.contrastPage, after)]
    answers.append(True)
    panel.modelsPage.ui.removeModelButton.click()
    assert seen[2:] == [(panel.fillPage, after[1:]), (panel.contrastPage, after[1:])]


# Verify


def test_all_released_models_are_intact(panel):
    _choose(panel, "brain-mr-unet")
    panel.modelsPage.ui.verifyModelButton.click()
    assert _result(panel) == "The weights of the model 'brain-mr-unet' are intact, byte for byte."
    panel.modelsPage.ui.verifyAllModelsButton.click()
    assert _result(panel) == f"The weights of all {len(RELEASED)} models are intact, byte for byte."


def test_a_single_changed_byte_is_found(panel, own):
    bundles.damage(bundles.write(own, "tiny"))
    bundles.write(own, "whole")
    _reopen(panel)
    _choose(panel, "tiny")
    panel.modelsPage.ui.verifyModelButton.click()
    assert "were altered: the size is right, but the sha256 is" in _error(panel)
    _choose(panel, "whole")
    assert _messages(panel) == ("", "")
    panel.modelsPage.ui.verifyModelButton.click()
    assert "'whole' are intact" in _result(panel)
    (own / "empty").mkdir()
    panel.modelsPage.ui.verifyAllModelsButton.click()
    altered, empty = _error(panel).splitlines()
    assert "tiny" in altered
    assert "empty" in empty


# Cite


def test_the_citation_names_medinpaint_the_method_and_the_data(panel):
    _choose(panel, "brain-mr-pconv")
    panel.modelsPage.ui.copyCitationButton.click()
    text = QtWidgets.QApplication.clipboard().text()
    lines = text.splitlines()
    assert lines[1] == f"Method: {MedInpaintLib.list_methods()['pconv'].reference}."
    facts = json.loads((mrml.REPOSITORY / "Resources" / "Models" / "brain-mr-pconv" / "bundle.json").read_text())
    assert len(lines) == 3 + len(facts["training"]["data"])
    for row, line in zip(facts["training"]["data"], lines[3:], strict=True):
        assert all(row[name] in line for name in ("dataset", "citation", "licence"))
    assert "'brain-mr-pconv'" in _result(panel)


def test_medinpaint_is_cited_as_its_citation_file_says(panel):
    facts = dict(
        re.findall(r'^ *-? *([\w-]+): "?(.*?)"?$', (mrml.REPOSITORY / "CITATION.cff").read_text(), re.MULTILINE)
    )
    panel.modelsPage.ui.copyCitationButton.click()
    assert QtWidgets.QApplication.clipboard().text().splitlines()[0] == (
        f"{facts['name']}. {facts['title']}. Version {facts['version']}, {facts['date-released'][:4]}."
    )


# Use


def _addInputs(panel):
    """All that the tab Fill needs besides a method."""
    volume = addVolume()
    addSegmentation(volume, lesion=box())
    panel.exit()
    panel.enter()


def _fillRequest(panel, monkeypatch):
    """Method and parameters with which Apply would start."""
    asked = []
    monkeypatch.setattr(panel.logic, "inpaint", lambda *given, **named: asked.append(named), raising=False)
    panel.fillPage.ui.applyButton.click()
    return asked[0]["method"], asked[0]["parameters"]


@pytest.mark.parametrize("before", ["auto", "unet", "harmonic"])
def test_a_model_is_chosen_with_its_method_in_the_tab_fill(panel, monkeypatch, before):
    _addInputs(panel)
    panel.logic.getParameterNode().method = before
    _choose(panel, "brain-mr-unet")
    assert panel.modelsPage.ui.useModelButton.toolTip.startswith("Choose the method 'U-Net' with this model")
    panel.modelsPage.ui.useModelButton.click()
    assert panel.ui.tabWidget.currentIndex == panel.pages.index(panel.fillPage)
    assert panel.fillPage.ui.methodCombo.currentText == "U-Net"
    method, values = _fillRequest(panel, monkeypatch)
    assert (method, values["model"]) == ("unet", "brain-mr-unet")


def test_other_parameters_of_the_method_stay(panel, monkeypatch):
    _addInputs(panel)
    node = panel.logic.getParameterNode()
    node.methodParameters = {"unet": json.dumps({"directions": 3, "model": "brain-mr-unet"}), "harmonic": "{}"}
    _choose(panel, "body-ct-unet")
    panel.modelsPage.ui.useModelButton.click()
    _, values = _fillRequest(panel, monkeypatch)
    assert (values["model"], values["directions"]) == ("body-ct-unet", 3)
    assert set(node.methodParameters) == {"unet", "harmonic"}


def test_a_model_that_estimates_contrasts_is_chosen_in_the_tab_contrast(panel):
    _choose(panel, "brain-mr-collagan")
    assert panel.modelsPage.ui.useModelButton.toolTip == "Choose this model in the tab Contrast."
    panel.modelsPage.ui.useModelButton.click()
    assert panel.ui.tabWidget.currentIndex == panel.pages.index(panel.contrastPage)
    node = panel.logic.getParameterNode()
    assert (node.imputeModel, node.method) == ("brain-mr-collagan", "auto")


@pytest.mark.parametrize("mode", ["create", "repair"])
def test_the_chosen_model_reaches_the_logic_from_the_tab_contrast(panel, own, monkeypatch, mode):
    bundles.write(own, "mine", architecture="collagan", contrasts=["T1", "FLAIR"])
    _reopen(panel)
    t1, flair = addHead("T1"), addHead("FLAIR")
    node = panel.logic.getParameterNode()
    node.t1Volume, node.flairVolume, node.imputeMode = t1, flair, mode
    node.imputeSegmentation = addSegmentation(t1, lesion=np.ones_like(head("T1"), dtype=bool))
    _choose(panel, "mine")
    panel.modelsPage.ui.useModelButton.click()
    combo, asked = panel.contrastPage.ui.imputeModelCombo, []
    assert (combo.currentData, combo.currentText) == ("mine", "A tiny model")
    monkeypatch.setattr(panel.logic, "impute", lambda *given, **named: asked.append(named["model"]), raising=False)
    monkeypatch.setattr(
        panel.logic, "inpaint", lambda *given, **named: asked.append(named["parameters"]["model"]), raising=False
    )
    host.processEvents()
    panel.contrastPage.ui.applyButton.click()
    shutil.rmtree(own / "mine")
    panel.refreshPages()
    assert combo.currentText == "Automatic"
    panel.contrastPage.ui.applyButton.click()
    assert asked == ["mine", "auto"]


def test_a_model_for_comparisons_cannot_be_used_and_the_button_says_why(panel, own):
    bundles.write(own, "compared", architecture="pix2pix")
    _reopen(panel)
    _choose(panel, "compared")
    assert not panel.modelsPage.ui.useModelButton.enabled
    assert panel.modelsPage.ui.useModelButton.toolTip == "No method uses a model of the architecture 'pix2pix'."


def test_closing_the_scene_leaves_the_models_and_their_use(panel):
    _choose(panel, "brain-mr-rfr")
    mrml.clearScene()
    assert panel.modelsPage.ui.modelsList.currentItem().text().splitlines()[1].startswith("brain-mr-rfr,")
    panel.modelsPage.ui.useModelButton.click()
    assert panel.logic.getParameterNode().method == "rfr"


# The folder


def test_the_folder_of_own_models_is_shown_with_its_size(panel, own, monkeypatch, tmp_path):
    ui = panel.modelsPage.ui
    assert str(own) in ui.ownModelsLabel.text
    assert not ui.openModelsFolderButton.enabled
    assert "when you add your first model" in ui.openModelsFolderButton.toolTip
    source = bundles.write(tmp_path, "tiny")
    (source / "README.md").write_bytes(b"x" * 1_230_000)
    _add(panel, monkeypatch, source)
    assert ui.ownModelsLabel.text == f"Your own models take 1.2 MB, in {own}"
    opened = []
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: not opened.append(url.toLocalFile()))
    ui.openModelsFolderButton.click()
    assert opened == [str(own)]
    assert _messages(panel) == ("", "")


def test_a_folder_that_cannot_be_shown_is_named(panel, own, monkeypatch):
    bundles.write(own, "tiny")
    _reopen(panel)
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: False)
    panel.modelsPage.ui.openModelsFolderButton.click()
    assert _error(panel) == f"The folder cannot be shown; it is {own}"


def test_what_changes_elsewhere_is_seen_when_the_tab_comes_into_sight(panel, own):
    _choose(panel, "brain-mr-rfr")
    _show(panel, panel.fillPage)
    bundles.write(own, "a-first-one")
    panel.logic.getParameterNode().dilateMm = 3  # what the user does in other tabs does not look at the disk
    assert "a-first-one" not in _names(panel)
    _show(panel, panel.modelsPage)
    assert _names(panel)[0] == "a-first-one"
    assert panel.modelsPage.ui.modelsList.currentItem().text().splitlines()[1].startswith("brain-mr-rfr,")


def test_the_tab_fits_into_300_pixels(panel, own):
    bundles.write(own, "tiny", title="A title that is far too long for any panel that a user would have " * 3)
    _reopen(panel)
    _choose(panel, "tiny")
    assert panel.parent.minimumSizeHint().width() <= 300


def test_a_long_message_has_its_height(panel, own):
    bundles.damage(bundles.write(own, "tiny"))
    _reopen(panel)
    _choose(panel, "tiny")
    panel.modelsPage.ui.verifyModelButton.click()
    label = panel.modelsPage.ui.modelsErrorLabel
    host.waitUntil(lambda: label.height >= label.heightForWidth(label.width) > 40, seconds=2)


def test_torch_is_not_needed():
    """All of the tab, in a Python of its own in which torch cannot be imported."""
    script = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "sys.modules['torch'] = None\n"
        "from panelhost import host\n"
        "host.install()\n"
        "with host.openedPanel() as panel:\n"
        "    page = panel.modelsPage\n"
        "    panel.ui.tabWidget.currentIndex = panel.pages.index(page)\n"
        "    for row in range(page.ui.modelsList.count):\n"
        "        page.ui.modelsList.currentRow = row\n"
        "        page.ui.copyCitationButton.click()\n"
        "    page.ui.verifyAllModelsButton.click()\n"
        "    print(page.ui.modelsResultLabel.text)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert "models are intact" in ran.stdout, ran.stderr


def test_pictures_of_the_tab_are_kept_to_be_looked_at(panel, own):
    pictures = mrml.REPOSITORY / "panel-screenshots"
    pictures.mkdir(exist_ok=True)
    _choose(panel, "brain-mr-unet")
    host.screenshot(panel, pictures / "models.png")
    (bundles.write(own, "mine") / "weights.safetensors").unlink()
    _reopen(panel)
    _choose(panel, "mine")
    host.screenshot(panel, pictures / "models-broken.png")
    assert all((pictures / f"{name}.png").stat().st_size > 5_000 for name in ("models", "models-broken"))
