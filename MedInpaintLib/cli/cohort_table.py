"""The live table of a cohort on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..texts import escaped
from .cohort import case_line, progress_line, show_end

#: Cells of a bar.
WIDTH = 20


class LiveTable:
    """Shows the cases at work with their stage, what is left, and each failure as a line above."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._working: dict[str, tuple[float, str]] = {}
        self._counts: dict[str, int] = {}
        self._progress = ""
        self._later: list[dict[str, Any]] = []
        self._live = Live(console=self._console, transient=True, get_renderable=self._table, refresh_per_second=4)

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()
        for event in self._later:
            show_end(event)

    def show(self, event: dict[str, Any]) -> None:
        """Show an event."""
        kind = event["event"]
        if kind == "working":
            self._working[event["id"]] = event["fraction"], event["stage"]
        elif kind == "case":
            self._working.pop(event["id"], None)
            status = "done before" if event["skipped"] else event["status"]
            self._counts[status] = self._counts.get(status, 0) + 1
            if event["status"] == "failed":
                self._console.print(Text(case_line(event)), soft_wrap=True)
            self._progress = progress_line(event)
        elif kind == "cancelled":  # the last event, and the process may be ended after it
            self._live.stop()
            show_end(event)
        else:
            self._later.append(event)

    def _table(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for name, (fraction, stage) in list(self._working.items()):  # a thread of its own draws
            full = round(fraction * WIDTH)
            bar = "━" * full + " " * (WIDTH - full)
            table.add_row(Text(escaped(name)), Text(bar), f"{fraction:4.0%}", Text(escaped(stage)))
        counts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        return Group(table, Text(f"{self._progress or 'Starting'}{f' ({counts})' if counts else ''}"))
