"""SIGINT and SIGTERM: they cancel the work, and they always end a process of MedInpaint's own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from types import FrameType
from typing import Any, NoReturn

from .errors import Cancelled
from .starting import CANCELLED, EXIT_CANCELLED, SIGNALS

#: Seconds that the main thread has to end by itself. Native code (a median filter of 11 s, say) does not hear a signal
#: before it returns, and then a second thread ends the process.
PATIENCE = 2.0
#: The same within :func:`held_back`, where a step of a training or a checkpoint is completed.
PATIENCE_HELD = 60.0
#: A further signal that comes this many seconds after the first ends the process at once. Some tools send two together.
AGAIN = 1.0

Say = Callable[[str], None]


class _State:
    """What this process does about a signal; only the main thread writes it, but for ``last_acts``.

    Attributes:
        say: tells the user that the work was cancelled.
        cancelling, held: how many blocks of :func:`cancelling` and :func:`held_back` the main thread is in.
        asked: when the first signal came, or a block of :func:`held_back` ended after it; None without a signal.
        raised: whether :class:`.Cancelled` was raised for it.
        own: whether the process is MedInpaint's own, and so may be ended.
        finished: whether the work is over and was reported, in a process of its own.
        last_acts: what is done before the process is ended, such as the removal of temporary folders.
    """

    def __init__(self) -> None:
        self.say: Say = lambda message: None
        self.cancelling = self.held = 0
        self.asked: float | None = None
        self.raised = self.own = self.finished = False
        self.last_acts: dict[Any, Callable[[], object]] = {}


_state = _State()


def end_this_process_on_signals(say: Say) -> None:
    """Let SIGINT and SIGTERM end this process with exit code 130, whatever it is doing; for commands, first of all.

    Outside :func:`cancelling` (during imports) the process ends at once. Inside, :class:`.Cancelled` is raised; where
    the main thread does not end in time (in native code, in a library that catches all exceptions), another thread
    removes temporary files, kills child processes and ends this one.
    """
    _state.say, _state.own = say, True
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    # Written to by the interpreter's handler itself, at once, whatever the main thread is doing.
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(receiver, sender), daemon=True, name="signals").start()
    for number in SIGNALS:
        signal.signal(number, _on_signal)


@contextlib.contextmanager
def cancelling(say: Say) -> Iterator[None]:
    """Let SIGINT and SIGTERM raise :class:`.Cancelled` in this block, once; only Python's main thread can set that.

    An error after a signal is a consequence of it (workers that heard it too have ended, say) and becomes the same.

    Args:
        say: tells the user that the work was cancelled, where the process must be ended from outside the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}
    said, _state.say = _state.say, say
    try:
        _state.cancelling += 1
        _state.finished = False
        for number in SIGNALS:
            before[number] = signal.signal(number, _on_signal)
        yield
    except Cancelled:
        raise
    except Exception as error:
        if _state.asked is not None:
            raise Cancelled(CANCELLED) from error
        raise
    finally:
        _state.cancelling -= 1
        for number, handler in before.items():
            if handler is not None:  # None: it was not set from Python, and cannot be set again from here
                signal.signal(number, handler)
        if _state.own:
            _state.finished = not _state.cancelling
        else:
            _state.say, _state.asked, _state.raised = said, None, False


@contextlib.contextmanager
def held_back(message: str = CANCELLED) -> Iterator[None]:
    """Complete this block before a signal raises :class:`.Cancelled`: for moves of files, a step of a training.

    Args:
        message: of the exception that is raised after the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.held += 1
    try:
        yield
    finally:
        _state.held -= 1
    if _state.asked is not None and not _state.held:
        _state.asked = monotonic()
        if not _state.raised:
            _act(message)


def before_the_end(key: Any, act: Callable[[], object]) -> None:
    """Call ``act`` if this process must be ended before :func:`forget` was called with the same key."""
    _state.last_acts[key] = act


def forget(key: Any) -> None:
    """Take back :func:`before_the_end`."""
    _state.last_acts.pop(key, None)


def do_last_acts() -> None:
    """Do what :func:`before_the_end` was told, for a process that ends by ``os._exit``."""
    for act in list(_state.last_acts.values()):
        with contextlib.suppress(OSError):
            act()


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _state.asked is not None:
        return  # the main thread is on its way out, and a second exception would disturb its cleaning up
    _state.asked = monotonic()
    if not _state.held:
        _act(CANCELLED)


def _act(message: str) -> None:
    if _state.cancelling:
        _state.raised = True
        raise Cancelled(message)
    if _state.own and not _state.finished:
        _end()


def _watch(receiver: socket.socket, sender: socket.socket) -> None:
    """End the process when a signal was not enough; ``sender`` is kept open by being an argument."""
    while not _is_a_signal(receiver.recv(64)):
        pass
    first = since = monotonic()
    receiver.settimeout(0.1)
    while monotonic() < since + (PATIENCE_HELD if _state.held else PATIENCE):
        with contextlib.suppress(TimeoutError):
            if _is_a_signal(receiver.recv(64)) and monotonic() > first + AGAIN:
                break
        since = max(first, _state.asked or first)
    _end()


def _is_a_signal(numbers: bytes) -> bool:
    return any(number in SIGNALS for number in numbers)


def _end() -> NoReturn:
    """End this process from any thread: no child, no temporary folder, one line, exit code 130."""
    _kill_children()
    do_last_acts()
    if not _state.finished:
        # In a thread of its own: the main thread may hold the lock of a stream that nobody reads.
        saying = threading.Thread(target=_state.say, args=(CANCELLED,), daemon=True)
        saying.start()
        saying.join(0.5)
    os._exit(EXIT_CANCELLED)


def _kill_children() -> None:
    processes = sys.modules.get("multiprocessing.process")  # not imported, or not yet as a whole: no children
    for child in getattr(processes, "active_children", list)():
        child.kill()
        child.join(1)
