"""``python -m Testing.odd_files [PART OF A NAME]``: try every kind in every format, and print a table.

Each trial runs in a process of its own, so that one that hangs or crashes is one line of the table. Leaves with 1 on
any silent wrong result, traceback, wrong exit code, or message of more than one line.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import Counter
from multiprocessing.connection import Connection

from . import KINDS, Kind
from .verdict import WRONG, Verdict, tried

#: Seconds after which a trial is taken to hang.
LONGEST = 120.0


def main(part: str = "") -> int:
    """Print a line for each trial and the counts; return 1 if one is wrong."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import MedInpaintLib.cli.app  # noqa: F401  # once, before processes are forked

    counts: Counter[str] = Counter()
    for kind in KINDS:
        for form in kind.formats:
            if part not in f"{kind.name} {form}":
                continue
            verdict = apart(kind, form)
            counts[verdict.outcome] += 1
            print(f"{verdict.outcome:8} {verdict.code:4} {kind.name:44} {form:10} {verdict.detail}", flush=True)
    print(f"\n{len({kind.name for kind in KINDS})} kinds, {counts.total()} trials: ", end="")
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    return 1 if counts[WRONG] else 0


def apart(kind: Kind, form: str) -> Verdict:
    """Run a trial in a process of its own."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
    ours, theirs = context.Pipe()
    # By name: a kind's function does not travel.
    process = context.Process(target=_child, args=(theirs, kind.name, form))
    process.start()
    theirs.close()
    try:
        if ours.poll(LONGEST):
            return Verdict(*ours.recv())
        return Verdict(WRONG, -1, f"no end after {LONGEST:.0f} s")
    except EOFError:
        process.join()
        return Verdict(WRONG, process.exitcode or 0, "the process ended without a word")
    finally:
        process.kill()
        process.join()


def _child(pipe: Connection, name: str, form: str) -> None:
    kind = next(kind for kind in KINDS if kind.name == name)
    try:
        verdict = tried(kind, form)
    except Exception as error:  # of the trial itself
        verdict = Verdict(WRONG, -1, f"the files could not be made ({type(error).__name__}: {error})")
    pipe.send((verdict.outcome, verdict.code, verdict.detail))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
