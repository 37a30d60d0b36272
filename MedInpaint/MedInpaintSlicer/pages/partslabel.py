"""The table of the hole's parts in a label with links to them."""

from collections.abc import Callable, Mapping, Sequence

from .. import parts


class PartsLabel:
    """A label with a row for each part of the hole; a click on a row's link shows the part."""

    def __init__(self, label, say: Callable, showPart: Callable[[int], None]) -> None:
        """Bind a label.

        Args:
            label: a label of rich text with links.
            say: shows a text in a label.
            showPart: called with the index of a part whose link was clicked.
        """
        self._label = label
        self._say = say
        self._tips: list[str] = []
        label.toolTip = parts.legend()
        label.connect("linkActivated(QString)", lambda link: showPart(int(link)))
        label.connect("linkHovered(QString)", self._onHovered)

    def show(self, facts: Sequence, titles: Mapping[str, str], trust: Mapping[str, str] | None = None) -> None:
        """Show the parts of a report; hide the label if there is only one part.

        Args:
            facts: of the parts.
            titles: method name -> title in the panel.
            trust: method name -> how far to trust its fills.
        """
        self._tips = [parts.tip(part, titles, trust) for part in facts]
        self._label.toolTip = parts.legend()
        self._say(self._label, parts.table(facts, titles))

    def _onHovered(self, link: str) -> None:
        # Labels do not show the tool tips of links themselves.
        tip = self._tips[int(link)] if link else ""
        self._label.toolTip = tip or parts.legend()
