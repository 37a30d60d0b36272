"""Nothing is installed without asking, and whatever goes wrong with it is told together with what to do."""

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
import time
import types

import pytest
import slicer
import slicer.util
from packaging.requirements import Requirement

from MedInpaintLib.errors import MissingDependencyError
from MedInpaintSlicer import installation, pipfailure

ENGINE = {"numpy", "scipy", "SimpleITK"}
LEARNED = ("torch", "safetensors")
connectionTrouble = pipfailure.connectionTrouble  # for most tests another one is put in its place


class SlicerPackaging(types.ModuleType):
    """``slicer.packaging`` as in Slicer 5.12, as far as it decides what is asked; ``pip`` is the test's."""

    def __init__(self) -> None:
        super().__init__("slicer.packaging")
        self.installed = {*ENGINE, *LEARNED}
        self.agrees = True
        self.asked: list[list[str]] = []  # what each question was about
        self.installs = False  # whether another installation is running
        self.pip = lambda packages: self.installed.update(Requirement(each).name for each in packages)

    def load_requirements(self, path: str) -> list[Requirement]:
        with open(path) as file:
            return [Requirement(line.strip()) for line in file if not line.startswith("#")]

    def pip_check(self, requirement: Requirement) -> bool:
        return requirement.name in self.installed

    def isPipInstallInProgress(self) -> bool:
        return self.installs

    def pip_ensure(self, requirements, requester: str, prompt_install: bool = True) -> None:
        missing = [str(each) for each in requirements if not self.pip_check(Requirement(str(each)))]
        if not missing or slicer.app.testingEnabled():
            return
        if prompt_install:
            self.asked.append(missing)
            if not self.agrees:
                raise RuntimeError("User declined package installation")
        self.pip(missing)


@pytest.fixture(autouse=True)
def questions(monkeypatch):
    """What the module itself asked the user, who agrees; no test reaches the network unless it means to."""
    asked: list[str] = []
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False, raising=False)
    monkeypatch.setattr(
        slicer.util, "confirmOkCancelDisplay", lambda text, title: asked.append(text) or True, raising=False
    )
    monkeypatch.setattr(pipfailure, "connectionTrouble", lambda: "")
    monkeypatch.delitem(sys.modules, "PyTorchUtils", raising=False)
    return asked


@pytest.fixture
def packaging(monkeypatch):
    pretended = SlicerPackaging()
    monkeypatch.setitem(sys.modules, "slicer.packaging", pretended)
    monkeypatch.setattr(slicer, "packaging", pretended, raising=False)
    return pretended


def _decline(monkeypatch) -> None:
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, title: False, raising=False)


def _failing(*lines: str, output=None):
    """pip as Slicer runs it: what it says is printed, and the error says nothing."""

    def pip(packages):
        print(*lines, sep="\n")
        raise subprocess.CalledProcessError(1, "pip install", output=output)

    return pip


def _message(*arguments) -> str:
    with pytest.raises(MissingDependencyError) as caught:
        installation.ensurePackages(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What is asked


def test_nothing_is_asked_where_all_is_installed(packaging, questions):
    installation.ensurePackages()
    installation.ensurePackages("U-Net", LEARNED)
    assert packaging.asked == questions == []


def test_what_is_missing_is_asked_for_once_and_then_installed(packaging, questions):
    packaging.installed.remove("scipy")
    installation.ensurePackages("Telea", ("opencv-python-headless",))
    installation.ensurePackages("Telea", ("opencv-python-headless",))
    assert packaging.asked == [["scipy>=1.11", "opencv-python-headless"]]
    assert questions == []


def test_torch_is_no_matter_where_the_method_needs_none(packaging, questions):
    packaging.installed -= {"torch", "scipy"}
    installation.ensurePackages("Telea")
    assert packaging.asked == [["scipy>=1.11"]]
    assert questions == []


def test_who_declines_is_told_what_to_do(packaging):
    packaging.agrees = False
    assert _message("Telea", ("opencv-python-headless",)) == (
        "The method 'Telea' needs the Python package opencv-python-headless. "
        "Press Apply again and agree, or choose another method."
    )
    packaging.installed.remove("scipy")
    assert _message() == "MedInpaint needs the Python package(s) scipy>=1.11. Press Apply again and agree."


def test_two_installations_do_not_run_at_a_time(packaging):
    packaging.installs = True
    installation.ensurePackages()  # nothing is missing
    packaging.installed.remove("scipy")
    message = _message()
    assert "Another installation of Python packages is running" in message
    assert "by hand" not in message
    assert packaging.asked == []


# Why pip failed; the lines are what pip 23 said in Slicer, shortened.

NONE_FOUND = (
    "ERROR: Could not find a version that satisfies the requirement scipy>=1.11 (from versions: none)",
    "ERROR: No matching distribution found for scipy>=1.11",
)
RETRY = "WARNING: Retrying (Retry(total=0, connect=None, read=None)) after connection broken by "
OFFLINE = "The package server cannot be reached. Connect this computer to the internet"
PROXY = "set the environment variables HTTPS_PROXY and HTTP_PROXY, such as to http://user:password@host:port"
REASONS = {
    "nobody listens": (
        (RETRY + "'NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused')'"),
        OFFLINE,
    ),
    "the name is unknown": (
        (RETRY + "'NewConnectionError('Failed to establish a new connection: [Errno -2] Name or service not known')'"),
        OFFLINE,
    ),
    "a newer pip": (
        (RETRY + "'NameResolutionError('Failed to resolve 'pypi.org' ([Errno 11001] getaddrinfo failed)')'"),
        OFFLINE,
    ),
    "no proxy there": (
        (RETRY + "'ProxyError('Cannot connect to proxy.', NewConnectionError('[Errno 111] Connection refused'))'"),
        PROXY,
    ),
    "407": (
        RETRY + "'ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy "
        "Authentication Required'))'",
        PROXY,
    ),
    "an intercepting proxy": (
        RETRY + "'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "self-signed certificate (_ssl.c:1006)'))'",
        "set the environment variables PIP_CERT and REQUESTS_CA_BUNDLE",
    ),
    "a full disk": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "The disk is full",
    ),
    "another's folder": (
        "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/opt/Slicer/lib'",
        "install Slicer in a folder that belongs to you",
    ),
    "another's folder on Windows": (
        "ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'C:\\\\Slicer'",
        "install Slicer in a folder that belongs to you",
    ),
    "no wheel": (
        "ERROR: Could not find a version that satisfies the requirement scipy>=1.11 (from versions: 1.0)",
        "pip found no build for Python {}.{}".format(*sys.version_info),
    ),
    "something else": (
        "ERROR: Cannot install a and b because these package versions have conflicting dependencies.",
        "Cannot install a and b because these package versions have conflicting dependencies.",
    ),
}


@pytest.mark.parametrize(("line", "advice"), REASONS.values(), ids=REASONS)
def test_the_reason_why_pip_failed_is_told_and_how_to_do_without_it(line, advice, packaging, capsys):
    packaging.installed.remove("scipy")
    packaging.pip = _failing(line, *(NONE_FOUND if line.startswith(RETRY) else ()))
    message = _message()
    assert message.startswith("The Python packages could not be installed: ")
    assert advice in message
    assert 'PythonSlicer -m pip install "scipy>=1.11"' in message
    assert "pip download" in message
    assert 'PythonSlicer -m pip install --no-index --find-links FOLDER "scipy>=1.11"' in message
    assert line in capsys.readouterr().out  # what pip says is still in the console


def test_where_pip_does_not_say_why_the_connection_is_tried(packaging, monkeypatch):
    packaging.installed.remove("scipy")
    for lines in ((), NONE_FOUND):
        packaging.pip = _failing(*lines)
        with monkeypatch.context() as context:
            context.setattr(pipfailure, "connectionTrouble", lambda: "[Errno -2] Name or service not known")
            assert OFFLINE in _message()
    assert "no build for Python" in _message()
    with open(__file__) as pipe:  # what Slicer gives for the output
        packaging.pip = _failing(output=pipe)
        assert "could not be installed: Command 'pip install' returned non-zero exit status 1." in _message()


def test_a_failure_that_is_not_pips_is_told_as_it_is(packaging):
    packaging.installed.remove("scipy")

    def pip(packages):
        raise RuntimeError("PythonSlicer executable not found")

    packaging.pip = pip
    assert "could not be installed: PythonSlicer executable not found. Or install by hand" in _message()


# The connection


@contextlib.contextmanager
def _serving(status: int):
    """A server that answers everything with one status; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

        do_CONNECT = do_GET

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def trouble(monkeypatch, tmp_path):
    """``connectionTrouble`` where pip's settings are those that are given."""
    pytest.importorskip("pip")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("PIP_INDEX_URL", "PIP_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def connect(index: str, seconds: float = 3.0, **more: str) -> str:
        lines = [f"{name} = {value}" for name, value in {"index-url": index, **more}.items()]
        (tmp_path / "pip.conf").write_text("[global]\n" + "\n".join(lines))
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        return connectionTrouble(seconds)

    return connect


@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_a_server_that_answers_is_no_trouble(status, trouble):
    with _serving(status) as server:
        assert trouble(server) == ""


def test_a_server_that_is_not_there_is(trouble, nobody):
    assert pipfailure.causeIn(trouble(nobody)) is pipfailure.Cause.OFFLINE


def test_the_environment_goes_before_pips_files(trouble, nobody, monkeypatch):
    with _serving(200) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server)
        assert trouble(nobody) == ""


@pytest.mark.parametrize("kind", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_told_from_no_connection(kind, trouble, monkeypatch):
    with _serving(407) as proxy:
        monkeypatch.setenv(f"{kind}_proxy", proxy)
        assert pipfailure.causeIn(trouble(f"{kind}://index.invalid/simple")) is pipfailure.Cause.PROXY


def test_a_proxy_that_is_not_there_is_told_from_no_connection(trouble, nobody, monkeypatch):
    monkeypatch.setenv("https_proxy", nobody)
    assert pipfailure.causeIn(trouble("https://index.invalid/simple")) is pipfailure.Cause.PROXY
    monkeypatch.setenv("no_proxy", "index.invalid")
    assert pipfailure.causeIn(trouble("https://index.invalid/simple", 0.5)) is pipfailure.Cause.OFFLINE


def test_pips_own_proxy_is_honoured(trouble, nobody):
    with _serving(200) as server:
        assert pipfailure.causeIn(trouble(server, proxy=nobody)) is pipfailure.Cause.PROXY
        assert trouble("http://index.invalid/simple", proxy=server) == ""


def test_no_network_makes_slicer_wait_longer_than_was_allowed(trouble, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        said = trouble(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.2)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(2.0) or [])
        lookup = trouble("http://index.invalid", 0.2)
        assert time.monotonic() - start < 1.5
    assert {pipfailure.causeIn(each) for each in (said, lookup)} == {pipfailure.Cause.OFFLINE}


# torch


@pytest.fixture
def pyTorch(monkeypatch, packaging):
    """The extension PyTorch, which installs torch; its answer can be set."""

    def installTorch(askConfirmation):
        extension.asked.append(askConfirmation)
        return extension.answer()

    def succeed():
        packaging.installed.add("torch")
        return types.ModuleType("torch")

    extension = types.SimpleNamespace(
        asked=[], answer=succeed, PyTorchUtilsLogic=lambda: types.SimpleNamespace(installTorch=installTorch)
    )
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    packaging.installed -= set(LEARNED)
    return extension


def test_torch_is_installed_by_the_extension_that_knows_the_gpu(pyTorch, packaging, questions):
    installation.ensurePackages("Telea", ("opencv-python-headless",))
    assert pyTorch.asked == []
    installation.ensurePackages("U-Net", LEARNED)
    installation.ensurePackages("U-Net", LEARNED)
    assert pyTorch.asked == [True]  # it asks the user itself
    assert packaging.asked[1:] == [["safetensors"]]
    assert questions == []


def test_an_extension_that_installed_nothing_ends_it(pyTorch, packaging):
    pyTorch.answer = lambda: None
    message = _message("U-Net", LEARNED)
    assert message.startswith("The method 'U-Net' needs the Python package torch, safetensors. Press Apply again and")
    assert "the extension 'PyTorch' failed to install torch" in message
    assert packaging.asked == []


def test_an_extension_that_fails_is_told_and_so_is_the_way_by_hand(pyTorch):
    class InstallError(Exception):
        pass

    def fail():
        print(REASONS["a full disk"][0])
        raise InstallError("torch was not installed")

    pyTorch.answer = fail
    message = _message("U-Net", LEARNED)
    assert "The disk is full" in message
    assert 'PythonSlicer -m pip install "torch" "safetensors"' in message


@pytest.mark.parametrize("lines", [(), NONE_FOUND])
def test_where_the_extension_fails_the_connection_is_tried_too(lines, pyTorch, monkeypatch):
    monkeypatch.setattr(pipfailure, "connectionTrouble", lambda: "[Errno -2] Name or service not known")
    pyTorch.answer = lambda: _failing(*lines)(LEARNED)
    assert OFFLINE in _message("U-Net", LEARNED)


def test_without_the_extension_one_question_tells_of_it(packaging, questions):
    packaging.installed -= set(LEARNED)
    installation.ensurePackages("U-Net", LEARNED)
    (question,) = questions
    assert "torch, safetensors" in question
    assert "extension 'PyTorch'" in question
    assert packaging.asked == []  # not twice
    assert packaging.installed >= set(LEARNED)


def test_who_declines_torch_is_told_of_the_extension(packaging, monkeypatch):
    packaging.installed -= set(LEARNED)
    _decline(monkeypatch)
    message = _message("U-Net", LEARNED)
    assert "Press Apply again and agree, or choose another method. Slicer's extension 'PyTorch'" in message
    assert not packaging.installed & set(LEARNED)


def test_slicers_tests_install_nothing(pyTorch, packaging, questions, monkeypatch):
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: True, raising=False)
    before = set(packaging.installed)
    installation.ensurePackages("U-Net", LEARNED)
    monkeypatch.delitem(sys.modules, "PyTorchUtils")
    installation.ensurePackages("U-Net", LEARNED)
    assert pyTorch.asked == packaging.asked == questions == []
    assert packaging.installed == before


def test_an_older_slicer_is_told_from_a_failure(monkeypatch):
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.delattr(slicer, "packaging", raising=False)
    assert _message() == "MedInpaint needs 3D Slicer 5.12 or newer; this one is older."
