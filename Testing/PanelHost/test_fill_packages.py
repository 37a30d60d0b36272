"""The packages that a fill needs: asked for late, and what is said when they are not there."""

import slicer
from panelhost import host
from panelhost.filling import chooseIn, clickApply

import MedInpaintLib
from Testing.PanelHost.clicks import applyAndWait, chooseHole


def _decline(requirements, requester):
    raise RuntimeError("User declined package installation")


def test_a_declined_installation_says_what_the_method_needs_and_what_to_do(panel, monkeypatch):
    monkeypatch.setattr(slicer.packaging, "pip_ensure", _decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("opencv"))
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "telea")
    clickApply(panel)
    assert panel.fillPage.run.job is None
    assert panel.fillPage.ui.errorLabel.text == (
        f"The method '{MedInpaintLib.list_methods()['telea'].title}' needs the Python package opencv-python-headless. "
        "Press Apply again and agree, or choose another method."
    )


def test_a_declined_installation_of_the_engines_packages_is_told(panel, monkeypatch):
    monkeypatch.setattr(slicer.packaging, "pip_ensure", _decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("scipy"))
    chooseHole(panel)
    clickApply(panel)
    assert "MedInpaint needs the Python package(s) scipy" in panel.fillPage.ui.errorLabel.text
    assert "another method" not in panel.fillPage.ui.errorLabel.text


def test_an_installation_that_failed_is_told(panel, monkeypatch):
    def fail(requirements, requester):
        raise RuntimeError("Another installation is running")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", fail)
    chooseHole(panel)
    clickApply(panel)
    assert "could not be installed: Another installation is running" in panel.fillPage.ui.errorLabel.text


def test_packages_are_asked_for_when_apply_is_pressed_and_not_before(panel):
    chooseHole(panel)
    host.packagesAskedFor.clear()
    applyAndWait(panel)
    assert len(host.packagesAskedFor) == 1
    assert any(requirement.startswith("SimpleITK") for requirement in host.packagesAskedFor[0])


def test_a_methods_own_packages_are_asked_for_with_the_engines(panel):
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "telea")
    host.packagesAskedFor.clear()
    applyAndWait(panel)
    assert "opencv-python-headless" in host.packagesAskedFor[0]
