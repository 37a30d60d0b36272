"""The tab "Models"; its widgets are in Resources/UI/Models.ui."""

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from .. import modelchoice, modellist, parameters
from .messages import FittedLabels, say
from .modelcard import citation, narrowCard
from .page import Page


class ModelsPage(Page):
    """The tab that shows the trained models and where they come from; adds, removes and verifies them.

    Models are on the disk, not in the scene. They are read when the tab becomes visible, and after each change here.
    """

    UI = "Models"

    def __init__(self, logic, log, changed, showFill, showContrast) -> None:
        """Make the page.

        Args:
            logic: a ``MedInpaintLogic``.
            log: takes lines for the log.
            changed: called when a model was added or removed.
            showFill, showContrast: bring that tab to the front and show its choices.
        """
        super().__init__(logic)
        ui = self.ui
        self._log = log
        self._changed = changed
        self._showFill = showFill
        self._showContrast = showContrast
        self._entries: list[modellist.Entry] = []
        self._unreadable = ""
        self._labels = FittedLabels(self.widget, (ui.modelsErrorLabel, ui.modelsResultLabel, ui.ownModelsLabel))
        ui.modelsList.connect("currentRowChanged(int)", lambda row: self._onChosen())
        for button, do in (
            (ui.useModelButton, self.use),
            (ui.copyCitationButton, self.copyCitation),
            (ui.removeModelButton, self.remove),
            (ui.verifyModelButton, self.verify),
            (ui.verifyAllModelsButton, self.verifyAll),
            (ui.addModelFolderButton, self.addFromFolder),
            (ui.addModelZipButton, self.addFromZip),
            (ui.openModelsFolderButton, self.openFolder),
        ):
            button.connect("clicked(bool)", lambda checked, do=do: do())
        self._sayNothing()
        self._showModels()
        self._showChosen()

    def title(self) -> str:
        return _("Models")

    def purpose(self) -> str:
        return _("The trained models: what each is for, its training data, and whether it is intact.")

    def refresh(self) -> None:
        """Read the models again, if the tab is visible; they do not depend on the parameter node."""
        if self.widget.visible:
            super().refresh()

    def close(self) -> None:
        self._labels.stop()

    def use(self) -> None:
        """Choose the selected model and its method in the tab that uses them."""
        if self._node is None:
            return
        bundle = self._chosen().bundle
        info = modelchoice.methodFor(bundle)
        if info.name == modelchoice.REPAIR_METHOD:
            self._node.imputeModel = bundle.name
            self._showContrast()
            return
        values = parameters.valuesOf(self._node, info.name)
        parameters.setValuesOf(self._node, info.name, {**values, "model": bundle.name})
        self._node.method = info.name
        self._showFill()

    def copyCitation(self) -> None:
        """Copy to the clipboard what to cite when the selected model was used."""
        bundle = self._chosen().bundle
        qt.QApplication.clipboard().setText(citation(bundle, modelchoice.methodFor(bundle)))
        self._say(_("Copied: what to cite when the model '{name}' was used.").format(name=bundle.name))

    def remove(self) -> None:
        """Delete the selected model, which is the user's own, after confirmation."""
        from MedInpaintLib.models import store

        entry = self._chosen()
        question = _("Delete your model '{name}' with its folder?\n{folder}")
        if slicer.util.confirmOkCancelDisplay(
            question.format(name=entry.name, folder=entry.folder), _("Remove a model")
        ):
            message = _("The model '{name}' is removed.").format(name=entry.name)
            self._change(lambda: store.remove(entry.name), lambda none: message)

    def addFromFolder(self) -> None:
        """Ask for a folder with a model, and copy it to the user's own models."""
        self._add(qt.QFileDialog.getExistingDirectory(self.widget, _("Folder with a model")))

    def addFromZip(self) -> None:
        """Ask for a .zip file with a model, and copy it to the user's own models."""
        title, kinds = _(".zip file with a model"), _("Models (*.zip)")
        self._add(qt.QFileDialog.getOpenFileName(self.widget, title, "", kinds))

    def verify(self) -> None:
        """Say whether the selected model is intact."""
        entry = self._chosen()
        intact = _("The weights of the model '{name}' are intact, byte for byte.").format(name=entry.name)
        self._verify([entry], intact)

    def verifyAll(self) -> None:
        """Say whether all models are intact, or which are not."""
        self._showModels()
        intact = _("The weights of all {count} models are intact, byte for byte.").format(count=len(self._entries))
        self._verify(self._entries, intact)

    def openFolder(self) -> None:
        """Show the folder with the user's own models in the file browser of the system."""
        self._sayNothing()
        folder = modellist.ownFolder()
        if not qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder))):
            self._complain(_("The folder cannot be shown; it is {folder}").format(folder=folder))

    def _show(self) -> None:
        self._showModels()

    def _showModels(self, choose: str = "") -> None:
        """List the current models, and select the one named ``choose``; empty: keep the selection."""
        entries = self._readEntries()
        self._showOwnFolder()
        if entries == self._entries and not choose:
            return
        before = self._chosen()
        choose = choose or (before.name if before is not None else "")
        row = self.ui.modelsList.currentRow
        self._entries = entries
        names = [entry.name for entry in entries]
        # If the selected model was removed, select the next one.
        self._fillList(names.index(choose) if choose in names else min(max(row, 0), len(names) - 1))
        self._showChosen()

    def _readEntries(self) -> list:
        try:
            entries, unreadable = modellist.entries(), ""
        except OSError as error:
            entries, unreadable = [], modelchoice.unreadable(error)
        if unreadable != self._unreadable:  # log it only once: the tab is refreshed at each change elsewhere
            self._unreadable = unreadable
            self._complain(unreadable) if unreadable else self._sayNothing()
        return entries

    def _fillList(self, row: int) -> None:
        models = self.ui.modelsList
        models.blockSignals(True)
        models.clear()
        for index, entry in enumerate(self._entries):
            models.addItem(entry.rowText())
            models.item(index).setToolTip(entry.problem or entry.bundle.title)
        models.currentRow = row
        models.blockSignals(False)

    def _chosen(self):
        """Return the selected entry, or None."""
        row = self.ui.modelsList.currentRow
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def _onChosen(self) -> None:
        self._sayNothing()
        self._showChosen()

    def _showChosen(self) -> None:
        """Show the selected model's card, and enable the buttons that apply to it."""
        entry, ui = self._chosen(), self.ui
        if entry is None:
            ui.modelCardBrowser.setPlainText(_("There are no models; add one from a folder or a .zip file."))
        elif entry.bundle is None:
            ui.modelCardBrowser.setPlainText(_brokenText(entry))
        else:
            ui.modelCardBrowser.setMarkdown(narrowCard(entry.bundle))
        _allow(ui.useModelButton, _whyNotUsed(entry), _usePurpose(entry))
        _allow(ui.copyCitationButton, _whyBroken(entry), _("Copy what to cite to the clipboard, with the licenses."))
        _allow(ui.removeModelButton, _whyKept(entry), _("Delete this model from your own models."))
        _allow(
            ui.verifyModelButton,
            _whyNone(entry),
            _("Check that no byte of its weights has changed: compare their checksum (sha256) with the stored one."),
        )

    def _showOwnFolder(self) -> None:
        folder = modellist.ownFolder()
        size = modellist.ownMegabytes()
        text = _("You have no models of your own. Models that you add are copied to {folder}").format(folder=folder)
        if size is not None:
            text = _("Your own models take {size:.1f} MB, in {folder}").format(size=size, folder=folder)
        say(self.ui.ownModelsLabel, text)
        self._labels.fitSoon()
        _allow(
            self.ui.openModelsFolderButton,
            "" if size is not None else _("The folder is made when you add your first model."),
            _("Show the folder with your own models in the file browser of the system."),
        )

    def _add(self, source: str) -> None:
        """Copy a model to the user's own models; an empty source: the user chose none."""
        from MedInpaintLib.models import store

        if not source:
            return
        name = modellist.ownModelIn(source)
        question = _("You have a model '{name}' already. Replace it?").format(name=name)
        if name is not None and not slicer.util.confirmOkCancelDisplay(question, _("Add a model")):
            return
        message = _("The model '{name}' is added to your own models; its weights are intact.")
        self._change(
            lambda: store.add(source, replace=name is not None).name,
            lambda name: message.format(name=name),
        )

    def _change(self, work: Callable[[], Any], describe: Callable[[Any], str]) -> None:
        """Change the user's models, update the list and the other tabs, and say what was done.

        Args:
            work: makes the change; may return the name of the model to select.
            describe: takes the value of ``work`` and returns the message.
        """
        from MedInpaintLib.errors import MedInpaintError

        self._sayNothing()
        try:
            with slicer.util.WaitCursor():
                chosen = work()
        except (MedInpaintError, OSError) as error:
            self._showModels()
            self._complain(str(error))
            return
        self._showModels(chosen or "")
        self._changed()
        self._say(describe(chosen))

    def _verify(self, entries: list, intact: str) -> None:
        with slicer.util.WaitCursor():
            problems = [problem for problem in (entry.verify() for entry in entries) if problem]
        if problems:
            self._complain("\n".join(problems))
        else:
            self._say(intact)

    def _say(self, text: str) -> None:
        self._sayNothing()
        self._tell(self.ui.modelsResultLabel, text)
        self._log(f"{self.title()}: {text}")

    def _complain(self, text: str) -> None:
        self._sayNothing()
        self._tell(self.ui.modelsErrorLabel, text)
        self._log(_("{title}: Error: {message}").format(title=self.title(), message=text))

    def _tell(self, label, text: str) -> None:
        say(label, text)
        self._labels.fitSoon()
        self._labels.reveal(label)

    def _sayNothing(self) -> None:
        for label in (self.ui.modelsErrorLabel, self.ui.modelsResultLabel):
            say(label, "")


def _brokenText(entry) -> str:
    what = _("The model '{name}' cannot be used.").format(name=entry.name)
    advice = _("Remove it, or add it again.") if entry.isOwn else _("It comes with MedInpaint: install that again.")
    return "\n\n".join([what, entry.problem, advice])


def _allow(button, refusal: str, purpose: str) -> None:
    """Enable a button, or disable it with the reason as tool tip."""
    button.enabled = not refusal
    button.toolTip = refusal or purpose


# Functions that say in a line why an action is impossible for an entry or for None; empty when it is possible.


def _whyNone(entry) -> str:
    return _("Choose a model in the list.") if entry is None else ""


def _whyBroken(entry) -> str:
    if entry is not None and entry.bundle is None:
        return _("The model '{name}' is broken.").format(name=entry.name)
    return _whyNone(entry)


def _whyKept(entry) -> str:
    if entry is not None and not entry.isOwn:
        return _("The model '{name}' comes with MedInpaint and cannot be removed.").format(name=entry.name)
    return _whyNone(entry)


def _whyNotUsed(entry) -> str:
    refusal = _whyBroken(entry)
    if not refusal and modelchoice.methodFor(entry.bundle) is None:
        return _("No method uses a model of the architecture '{architecture}'.").format(
            architecture=entry.bundle.architecture
        )
    return refusal


def _usePurpose(entry) -> str:
    if _whyNotUsed(entry):
        return ""
    info = modelchoice.methodFor(entry.bundle)
    if info.name == modelchoice.REPAIR_METHOD:
        return _("Choose this model in the tab Contrast.")
    return _("Choose the method '{method}' with this model in the tab Fill.").format(method=info.title)
