"""What libraries print by themselves is caught, and nothing else."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.io.foreign_lines import MOST, foreign_lines

# Into descriptor 2, as a library does.
PRINT = "import os, sys\nfrom MedInpaintLib.io.foreign_lines import foreign_lines\n"


def library(text: str) -> None:
    os.write(2, text.encode())


def test_each_line_comes_once_without_source_positions_addresses_and_control_characters(capfd):
    with foreign_lines() as lines:
        library("WARNING: In /build/itkX.cxx, line 101\nReader (0x55a0c3): bad\x1b[31m\n\nReader (0x77): bad\x1b[31m\n")
        assert lines == []
    assert lines == ["Reader: bad\\x1b[31m"]
    assert capfd.readouterr().err == ""
    library("after")
    assert capfd.readouterr().err == "after"


def two_and_an_error() -> list[str]:
    with contextlib.suppress(KeyError), foreign_lines() as lines:
        library("two\n")
        raise KeyError
    return lines


def test_blocks_may_be_nested_and_end_by_an_error(capfd):
    with foreign_lines() as outer:
        library("one\n")
        inner = two_and_an_error()
        library("three\n")
    assert (outer, inner) == (["one", "two", "three"], ["two"])
    library("after")
    assert capfd.readouterr().err == "after"


def test_threads_share_a_capture_and_the_last_one_ends_it(capfd):
    begun, may_end = threading.Event(), threading.Event()

    def other() -> None:
        with foreign_lines():
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait(10)
    with foreign_lines() as lines:
        library("here\n")
    may_end.set()
    thread.join()
    assert lines == ["here"]
    library("after")
    assert capfd.readouterr().err == "after"


def test_more_than_a_pipe_holds_blocks_nothing_and_few_lines_are_kept(capfd):
    with foreign_lines() as lines:
        library("".join(f"row {number}\n" for number in range(50_000)))
    assert lines == [f"row {number}" for number in range(MOST)]


def test_pythons_own_standard_error_stays_where_it_was():
    script = (
        PRINT + "with foreign_lines() as lines:\n os.write(2, b'x\\n'); print('bar', file=sys.stderr)\nprint(lines)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("['x']\n", "bar\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes the descriptor")
def test_without_a_standard_error_nothing_is_caught_and_nothing_fails():
    script = PRINT + "\nwith foreign_lines() as lines: pass\nprint(lines)"
    command = f"exec '{sys.executable}' -c \"{script}\" 2>&-"
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "[]\n"


def test_it_takes_less_than_a_millisecond():
    start = time.perf_counter()
    for _ in range(100):
        with foreign_lines():
            pass
    assert time.perf_counter() - start < 0.1 * 3  # a busy machine


def test_a_png_with_a_damaged_chunk_is_read_with_libpngs_word_in_the_warnings(tmp_path, capfd):
    mi.Volume(np.zeros((8, 9), np.uint8), 1.0).write(tmp_path / "image.png")
    content = bytearray((tmp_path / "image.png").read_bytes())
    content[45] ^= 0xFF  # in sCAL, the pixel size
    (tmp_path / "image.png").write_bytes(content)
    (warning,) = mi.Volume.read(tmp_path / "image.png").warnings
    assert warning == "The reader of 'image.png' says: libpng warning: sCAL: CRC error"
    assert capfd.readouterr().err == ""
