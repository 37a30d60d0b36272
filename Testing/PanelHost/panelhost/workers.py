"""Workers that only pretend, in place of the engine."""

import json
import sys

from MedInpaintSlicer.jobs import process


def endless(monkeypatch, folder):
    """A worker that starts a child, says one word and then never ends; returns the file with both process ids."""
    pids = folder / "pids.json"
    _pretend(
        monkeypatch,
        folder,
        "import json, os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids)!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
        "print(json.dumps({'event': 'progress', 'fraction': 0.42, 'stage': 'Filling'}), flush=True)\n"
        "time.sleep(600)\n",
    )
    return pids


def wordy(monkeypatch, folder, *lines, exitCode: int) -> None:
    """A worker which prints lines and ends with an exit code."""
    printed = "".join(f"print({line!r}, flush=True)\n" for line in lines)
    _pretend(monkeypatch, folder, f"{printed}raise SystemExit({exitCode})\n")


class PretendingRunner:
    """Starts nothing; keeps what it was asked to start, and the test then plays the worker."""

    def __init__(self) -> None:
        self.killed = False

    def start(self, command, folder, onLine, onExit) -> None:
        with open(command[-1], encoding="utf-8") as file:
            self.job = json.load(file)
        self.say = lambda event: onLine(json.dumps(event))
        self.onLine, self.exit = onLine, onExit

    def kill(self) -> None:
        self.killed = True


def _pretend(monkeypatch, folder, text: str) -> None:
    script = folder / "worker.py"
    script.write_text(text)
    monkeypatch.setattr(process, "workerCommand", lambda jobFile: [sys.executable, str(script)])
