"""Why pip could not install packages, and what to do about it.

Slicer's error says only that pip failed, so pip's output is recorded here. If the output does not show the reason (pip
also says "No matching distribution" when it reaches no index), the index is contacted.
"""

import contextlib
import enum
import http
import http.client
import io
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

from slicer.i18n import tr as _

PYPI = "https://pypi.org/simple/"


class Cause(enum.Enum):
    """A reason why pip fails, with the pattern that reveals it in the output of pip and the system.

    The first match counts: a computer behind a proxy shows signs of a missing connection too, and pip says "No matching
    distribution" for everything that keeps it from the index.
    """

    DISK_FULL = r"No space left on device|not enough space on the disk|Disk quota exceeded"
    NO_PERMISSION = r"Permission denied|Access is denied|WinError (5|32)\b"
    CERTIFICATE = r"CERTIFICATE_VERIFY_FAILED|SSLError"
    PROXY = r"ProxyError|Cannot connect to proxy|Proxy Authentication Required|Tunnel connection failed"
    OFFLINE = (
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|Connection(Reset|Refused)Error"
        r"|[Cc]onnection (refused|reset)|timed out|unreachable|No route to host"
        r"|Name or service not known|name resolution|getaddrinfo failed|nodename nor servname"
    )
    NO_WHEEL = (
        r"No matching distribution|Could not find a version|not a supported wheel|requires a different Python"
        r"|Failed building wheel|subprocess-exited-with-error|metadata-generation-failed"
    )


def causeIn(text: str) -> Cause | None:
    """Return the first cause whose pattern is in a text, or None."""
    return next((cause for cause in Cause if re.search(cause.value, text)), None)


@contextlib.contextmanager
def overheard() -> Iterator[list[str]]:
    """Record in the yielded list what is printed meanwhile; it is still printed."""
    tee = _Tee(sys.stdout)
    with contextlib.redirect_stdout(tee):
        yield tee.kept


class _Tee(io.TextIOBase):
    def __init__(self, through) -> None:
        self.kept: list[str] = []
        self._through = through

    def write(self, text: str) -> int:
        self.kept.append(text)
        self._through.write(text)
        return len(text)

    def flush(self) -> None:
        self._through.flush()


def reason(error: Exception, printed: str) -> str:
    """Say why an installation failed and what to do, in one or two sentences that follow a colon.

    Args:
        error: the error that the installation raised.
        printed: its output.
    """
    # Only texts: Slicer puts the pipe of pip's output where the output belongs.
    texts = (str(error), getattr(error, "output", ""), printed)
    messages = "\n".join(each for each in texts if isinstance(each, str))
    cause = causeIn(messages)
    if cause is Cause.NO_WHEEL or (cause is None and isinstance(error, subprocess.CalledProcessError)):
        cause = causeIn(connectionTrouble()) or cause
    if cause is not None:
        return _advice(cause)
    complaints = re.findall(r"^ERROR: (.+)", messages, re.M)
    return complaints[-1] if complaints else str(error)


def _advice(cause: Cause) -> str:
    return {
        Cause.DISK_FULL: _("The disk is full. Make room, then press Apply again."),
        Cause.NO_PERMISSION: _(
            "Slicer may not write into its own folder, or a file in there is in use. Close other windows of Slicer, or "
            "install Slicer in a folder that belongs to you."
        ),
        Cause.CERTIFICATE: _(
            "The certificate of the package server is not trusted; a proxy may have put its own in place. Get that "
            "proxy's certificate as a file, and before you start Slicer, set the environment variables PIP_CERT and "
            "REQUESTS_CA_BUNDLE to the file, and HTTPS_PROXY and HTTP_PROXY to the proxy if it has an address."
        ),
        Cause.PROXY: _(
            "The proxy to the internet cannot be reached or refuses. Before you start Slicer, set the environment "
            "variables HTTPS_PROXY and HTTP_PROXY, such as to http://user:password@host:port."
        ),
        Cause.OFFLINE: _(
            "The package server cannot be reached. Connect this computer to the internet and press Apply again; "
            "if it needs a proxy for that, set the environment variables HTTPS_PROXY and HTTP_PROXY before you start "
            "Slicer."
        ),
        Cause.NO_WHEEL: _(
            "pip found no build for Python {version} on this kind of computer. Use the newest Slicer, or a method that "
            "needs no further package."
        ).format(version=_pythonVersion()),
    }[cause]


def byHand(packages: list[str]) -> str:
    """Say how to install packages by hand, with a connection and without."""
    return _(
        "Or install by hand, with the PythonSlicer in Slicer's folder 'bin': PythonSlicer -m pip install {packages}; "
        "without a connection, on a computer that has one and the same system: pip download --only-binary=:all: "
        "--python-version {version} --dest FOLDER {packages}; then here, with that folder: "
        "PythonSlicer -m pip install --no-index --find-links FOLDER {packages}"
    ).format(version=_pythonVersion(), packages=" ".join(f'"{each}"' for each in packages))


def _pythonVersion() -> str:
    return "{}.{}".format(*sys.version_info)


def connectionTrouble(seconds: float = 3.0) -> str:
    """Return the system's error when this computer cannot reach pip's server; empty if it can.

    Args:
        seconds: time limit for the whole check.
    """
    url = _pipSetting("index-url") or PYPI
    proxies = _proxies(url)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    outcome: list[str] = []
    # In a thread, because looking up a name ignores the time limit.
    thread = threading.Thread(target=lambda: outcome.append(_open(opener, url, seconds)), daemon=True)
    thread.start()
    thread.join(seconds)
    trouble = outcome[0] if outcome else "timed out"
    return f"ProxyError: {trouble}" if proxies and causeIn(trouble) is Cause.OFFLINE else trouble


def _open(opener: urllib.request.OpenerDirector, url: str, seconds: float) -> str:
    """Return the error of opening a URL; empty if the server answered at all."""
    try:
        opener.open(url, timeout=seconds).close()
    except urllib.error.HTTPError as error:
        return str(error) if error.code == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED else ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(error)
    return ""


def _proxies(url: str) -> dict[str, str]:
    """Return scheme -> the proxy that pip would use for a URL; empty if none."""
    parts = urllib.parse.urlsplit(url)
    chosen = _pipSetting("proxy")
    if chosen:
        return {parts.scheme: chosen}
    if urllib.request.proxy_bypass(parts.netloc):
        return {}
    return {kind: proxy for kind, proxy in urllib.request.getproxies().items() if kind == parts.scheme}


def _pipSetting(name: str) -> str | None:
    """Return a setting from pip's files and environment variables, or None."""
    try:
        # Not public; the public way is a process, which takes seconds and opens a window on Windows.
        from pip._internal.configuration import Configuration
        from pip._internal.exceptions import PipError

        configuration = Configuration(isolated=False)
        configuration.load()
    except Exception:
        return None
    for key in (f":env:.{name}", f"install.{name}", f"global.{name}"):
        with contextlib.suppress(PipError):
            return configuration.get_value(key)
    return None
