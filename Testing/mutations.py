"""Checks that the tests notice a broken engine: ``python -m Testing.mutations [WORD ...]``, or ``make mutations``.

Each entry of ``Testing/mutations.txt`` breaks one line in a copy of the repository, and the tests that it names must
then fail. With words, only entries are tried whose description or file contains one of them. Exit code 0: all were
caught; 1: one survived, or its tests gave no verdict; 2: an entry does not fit the code, or the tests that caught them
fail without any mutation, too, so that their failures say nothing.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("mutations.txt")
#: What a copy of the repository needs for tests of the engine.
COPIED = ("MedInpaintLib", "Research", "Resources", "Testing", "pyproject.toml")
AT_ONCE = 2
#: Seconds after which a run of tests is ended.
PATIENCE = 600
#: Without bytecode: Python takes that of the original if the mutated file has the same size and second.
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
#: With one seed, hypothesis tries the same examples each time.
PYTEST = ("-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-seed=0")
_PASSED, _FAILED = 0, 1  # pytest's exit codes; others mean that it could not run the tests


class Mutation(NamedTuple):
    """One broken line.

    Attributes:
        what: the mistake, in a few words.
        file: of the engine, relative to the repository.
        before: text that stands in it exactly once.
        after: what stands there instead.
        tests: files of tests, or ``file::test``, of which one must fail; the likeliest first.
    """

    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


class Verdict(NamedTuple):
    """What the tests said.

    Attributes:
        result: ``"caught"``, ``"survived"``, or why there is no verdict.
        by: the first test that failed, as pytest names it, without its parameters.
        seconds: duration.
    """

    result: str
    by: str
    seconds: float


def read(text: str) -> list[Mutation]:
    """Return the mutations of a text in the format that ``Testing/mutations.txt`` explains.

    Raises:
        ValueError: an entry has not its four lines.
    """
    mutations = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        if len(lines) != 4 or lines[2][:1] != "-" or lines[3][:1] != "+":
            raise ValueError(
                f"{LIST.name}: an entry has four lines: description, files, '- before', '+ after'; found {lines}."
            )
        file, *tests = lines[1].split()
        before, after = (line[2:] for line in lines[2:])
        tests = [f"Testing/Python/{test}" for test in tests]
        mutations.append(Mutation(lines[0], f"MedInpaintLib/{file}", before, after, tuple(tests)))
    return mutations


def mutated(text: str, mutation: Mutation) -> str:
    """Return the text of the mutation's file with its line broken.

    Raises:
        ValueError: the text before is not there exactly once.
    """
    count = text.count(mutation.before)
    if count != 1:
        raise ValueError(
            f"{mutation.file} must contain {mutation.before!r} exactly once; found {count} times. "
            f"Correct the entry '{mutation.what}' of {LIST.name}."
        )
    return text.replace(mutation.before, mutation.after)


def problems(mutations: Sequence[Mutation], repository: Path = REPOSITORY) -> list[str]:
    """Return one line for each entry that does not fit the code."""
    lines = []
    for mutation in mutations:
        if not mutation.tests:
            lines.append(f"The entry '{mutation.what}' names no test.")
        missing = [test for test in mutation.tests if not _exists(repository, test)]
        lines += [f"There is no {test}, which the entry '{mutation.what}' names." for test in missing]
        try:
            mutated((repository / mutation.file).read_text(encoding="utf-8"), mutation)
        except (OSError, ValueError) as error:
            lines.append(str(error))
    return lines


def _exists(repository: Path, test: str) -> bool:
    file, _, name = test.partition("::")
    path = repository / file
    return path.is_file() and (not name or f"def {name}(" in path.read_text(encoding="utf-8"))


class Copies:
    """Copies of the repository, in each of which one mutation at a time is tried.

    Args:
        repository: is only read.
        folder: for the copies.
        count: how many there are.
    """

    def __init__(self, repository: Path, folder: Path, count: int = AT_ONCE) -> None:
        self._free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped, self._lock = False, threading.Lock()
        for number in range(count):
            copy = folder / str(number)
            copy.mkdir()
            for name in COPIED:
                _copy(repository / name, copy / name)
            self._free.put(copy)

    def verdict(self, tests: Sequence[str], mutation: Mutation | None = None) -> Verdict:
        """Run tests in a free copy, with a mutation or without any."""
        copy = self._free.get()
        try:
            if mutation is None:
                return self._run(copy, tests)
            file = copy / mutation.file
            original = file.read_bytes()
            file.write_text(mutated(original.decode("utf-8"), mutation), encoding="utf-8")
            try:
                return self._run(copy, tests)
            finally:
                file.write_bytes(original)
        finally:
            self._free.put(copy)

    def stop(self) -> None:
        """End all runs of tests, and begin no other."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def _run(self, copy: Path, tests: Sequence[str]) -> Verdict:
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(copy)}
        start = time.monotonic()
        with self._lock:
            if self._stopped:
                return Verdict("stopped", "", 0.0)
            process = subprocess.Popen(
                [sys.executable, *PYTEST, *tests],
                cwd=copy,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            self._running.add(process)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Verdict(f"no end in {PATIENCE} s", "", float(PATIENCE))
        finally:
            with self._lock:
                self._running.discard(process)
        return _read(process.returncode, output, time.monotonic() - start)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    elif source.exists():
        shutil.copy(source, target)


def _read(code: int, output: str, seconds: float) -> Verdict:
    """Return the verdict from pytest's exit code and output."""
    if code == _PASSED:
        return Verdict("survived", "", seconds)
    first = re.search(r"^(?:FAILED|ERROR) (\S+?::\w+)", output, re.MULTILINE)
    if code == _FAILED and first:
        return Verdict("caught", first[1], seconds)
    last = output.strip().splitlines()[-1:] or ["no output"]
    return Verdict(f"pytest ended with code {code}: {last[0]}", "", seconds)


def verdicts(mutations: Sequence[Mutation], copies: Copies) -> Iterator[tuple[Mutation, Verdict]]:
    """Yield the mutations with their verdicts, as they end."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(copies.verdict, mutation.tests, mutation): mutation for mutation in mutations}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            copies.stop()
            raise


def try_all(mutations: Sequence[Mutation], copies: Copies) -> int:
    """Print a line for each mutation, and how many were caught; return the exit code."""
    print("| mutation | file | verdict | by | s |\n|---|---|---|---|---|", flush=True)
    alive, by = [], set()
    for mutation, verdict in verdicts(mutations, copies):
        file, test = mutation.file.removeprefix("MedInpaintLib/"), verdict.by.split("::")[-1]
        print(f"| {mutation.what} | {file} | {verdict.result} | {test} | {verdict.seconds:.0f} |", flush=True)
        if verdict.result == "caught":
            by.add(verdict.by)
        else:
            alive.append(mutation.what)
    print(f"\n{len(mutations)} mutations, {len(mutations) - len(alive)} caught.", flush=True)
    unbroken = copies.verdict(sorted(by)) if by else None
    if unbroken and unbroken.result != "survived":
        failed = unbroken.by or unbroken.result
        print(f"Without any mutation the tests fail, too ({failed}): they prove nothing.", file=sys.stderr)
        return 2
    if alive:
        print(f"Not caught: {'; '.join(alive)}.", file=sys.stderr)
    return 1 if alive else 0


def main(arguments: Sequence[str], repository: Path = REPOSITORY, mutations: Sequence[Mutation] = ()) -> int:
    """Run the command, by default with all mutations of the list, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m Testing.mutations", description="Break the engine, line by line.")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only entries whose description or file contains one")
    words = parser.parse_args(arguments).words
    chosen = [
        each
        for each in mutations or read(LIST.read_text(encoding="utf-8"))
        if not words or any(word in f"{each.what} {each.file}" for word in words)
    ]
    if not chosen:
        print(f"No mutation contains {' or '.join(words)}; leave the words out to try all.", file=sys.stderr)
        return 2
    lines = problems(chosen, repository)
    if lines:
        print("\n".join(lines), file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as folder:
            return try_all(chosen, Copies(repository, Path(folder)))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
