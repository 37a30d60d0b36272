"""What runs cases, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Protocol

from .case import Case, Outcome

#: Is told which case is worked on, the share of it that is done, and the stage.
Heard = Callable[[Case, float, str], None]


class Scheduler(Protocol):
    """Runs :func:`.work.work_on` for cases."""

    def run(self, cases: Sequence[Case], records: Path, heard: Heard) -> Generator[tuple[Case, Outcome], None, None]:
        """Yield each case once with what came of it, in any order; whatever happens to one, the others are done.

        When the iterator is closed, all work ends at once.

        Args:
            cases: what is to be done.
            records: the folder with the records.
            heard: may be called in between, in the caller's thread.
        """
        ...
