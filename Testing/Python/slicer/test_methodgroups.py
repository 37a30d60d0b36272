"""The methods are listed in groups, in the order in which a user would try them."""

import dataclasses

import MedInpaintLib
from MedInpaintSlicer import methodgroups

METHODS = MedInpaintLib.list_methods()


def _names(rows):
    return [name for name, _title in rows if name is not None]


def test_every_method_is_listed_once_below_a_heading():
    rows = methodgroups.rows(METHODS)
    assert rows[0] == ("auto", "Automatic")
    assert rows[1][0] is None
    assert sorted(_names(rows)) == sorted(["auto", *METHODS])
    assert _names(rows)[1:] == methodgroups.ordered(METHODS)


def test_what_asks_for_no_other_images_and_no_network_comes_first():
    order = methodgroups.ordered(METHODS)
    assert order[:3] == ["patch-regression", "biharmonic", "patch"]
    assert order.index("mirror") < order.index("unet") < order.index("exemplar") < order.index("shell-mean")
    assert order.index("unet") < order.index("pconv") < order.index("gan-latent")


def test_what_cannot_run_comes_last_below_a_heading_of_its_own():
    rows = methodgroups.rows(METHODS, {"unet", "atlas"})
    assert [name for name, _title in rows[-3:]] == [None, "atlas", "unet"]
    assert rows[-3][1] == "— Cannot run here —"
    assert len(_names(rows)) == len(METHODS) + 1


def test_a_group_without_methods_has_no_heading():
    assert methodgroups.rows({"mirror": METHODS["mirror"]}) == [
        ("auto", "Automatic"),
        (None, "— From the other side or the atlas —"),
        ("mirror", METHODS["mirror"].title),
    ]


def test_a_method_of_a_new_family_is_listed_too():
    new = dataclasses.replace(METHODS["patch"], name="new", family="never seen")
    assert methodgroups.ordered({"new": new, "patch": METHODS["patch"]}) == ["patch", "new"]
