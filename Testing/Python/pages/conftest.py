"""A page as a reader sees it: elements, texts, and pictures decoded by a library that the pages do not use."""

import base64
import html.parser
import io

import numpy as np
import pytest
from PIL import Image

#: Elements of HTML without an end.
VOID = {"meta", "img", "input", "br", "link"}


class Reading(html.parser.HTMLParser):
    """What a page holds; fails where an element is not closed.

    Attributes:
        elements: tag and attributes, in their order.
        texts: of all elements but scripts and styles.
    """

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        assert len({name for name, _ in attributes}) == len(attributes), (tag, attributes)
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self):
        return "\n".join(self.texts)

    def all(self, tag, **attributes):
        """Return the attributes of elements; ``class_`` stands for class."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    def pictures(self, start):
        """Return the pictures whose descriptions begin like this, as arrays, by the rest of the description."""
        return {
            each["alt"].removeprefix(start): decoded(each["src"])
            for each in self.all("img")
            if each["alt"].startswith(start)
        }


def decoded(uri):
    """Return the pixels of a data URI as (rows, columns, 4) uint8: red, green, blue and opacity."""
    content = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


@pytest.fixture
def reading():
    return Reading
