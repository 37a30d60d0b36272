"""The messages on the page of errors are those of the program."""

import re

import pytest

from Testing import documentation

#: Messages whose words the program puts together from several places, so that they do not stand in one text.
COMPOSED = {
    "lacks a slice",
    "is a segmentation, not an image",
    "could not be written (No space left on device)",
    "fits the image clearly better when it is flipped",
    "filled by patches of this side, not from the other side",
    "PNG files hold 2-D images of uint16 or uint8 voxels",
    "is a device",
    "is a named pipe",
    "The device 'cuda'",
}


def fragments() -> list[str]:
    """Return the fixed words of all messages in the table."""
    rows = re.findall(r"^\| (`.*?`) \| ", documentation.text("docs/reference/errors.md"), flags=re.MULTILINE)
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    return [part.strip(" :") for message in messages for part in message.split("...") if len(part.strip(" :%")) > 5]


@pytest.fixture(scope="module")
def program() -> str:
    """All source code, with texts that go on in the next line joined."""
    files = [path for room in ("MedInpaintLib", "MedInpaint") for path in (documentation.ROOT / room).rglob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", source).replace("\\'", "'")


def test_every_message_is_one_of_the_program(program):
    assert len(fragments()) >= 40
    unknown = {each for each in fragments() if each.strip("'(%") not in program}
    assert unknown <= COMPOSED
