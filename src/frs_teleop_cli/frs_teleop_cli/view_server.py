"""Shows one picture and a few facts to browsers: drawn only while somebody looks, the newest only. No ROS here."""

from __future__ import annotations

import errno
import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import cast
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np

from frs_teleop_cli.view_page import PAGE

FRAME_INTERVAL = 1 / 15
"""s between two drawings at least, however many look: the cameras give no more."""

LONGEST_WAIT = 1.0
"""s after which a request for a newer picture gets the one there is."""

CLIENT_TIMEOUT = 10.0
"""s after which a client that takes or says nothing is let go."""

PORTS_TRIED = 20
"""Ports from the wished one upwards; after these any free one is taken."""

_JPEG_QUALITY = 80  # percent; 60 kB a picture


@dataclass(frozen=True)
class Told:
    """What the page says beside the picture.

    Attributes:
        facts: headings and values, in the order of the page.
        warnings: sentences about what keeps the operator from seeing what is.
    """

    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


class ClosedError(RuntimeError):
    """The view is being closed: there are no pictures any more."""


class Picture:
    """The newest picture as JPEG, for any number of threads.

    It is drawn and encoded when somebody asks, once for all who ask, and at most every FRAME_INTERVAL.
    """

    def __init__(self, draw: Callable[[], np.ndarray]) -> None:
        """Draw nothing yet.

        Args:
            draw: gives the picture of now, (height, width, 3) uint8 RGB; called by one thread at a time.
        """
        self._draw = draw
        self._news = threading.Condition()  # guards all that follows
        self._version = 0  # of what there is to draw
        self._drawing = False
        self._drawn: tuple[int, bytes] = (-1, b"")
        self._drawn_at = -FRAME_INTERVAL  # monotonic s, when the drawing began
        self._closed = False

    def changed(self) -> None:
        """Say that there is something new to draw. Costs next to nothing; any thread."""
        with self._news:
            self._version += 1
            self._news.notify_all()

    def newest(self, after: int = -1, wait: float = LONGEST_WAIT) -> tuple[int, bytes]:
        """Get the number and the JPEG of the newest picture.

        Args:
            after: number of the picture that the asker has, -1 for none; another one is waited for.
            wait: s for that; then the same one is given again.

        Raises:
            ClosedError: close() was called.
        """
        given_up = time.monotonic() + wait
        with self._news:
            while not self._closed:
                now = time.monotonic()
                number, due = self._drawn[0], self._drawn_at + FRAME_INTERVAL
                recent = number != after and now < due  # drawn for somebody else just now
                if recent or (number == self._version and (number != after or now >= given_up)):
                    return self._drawn
                if number != self._version and now >= due and not self._drawing:
                    break
                # While somebody draws, the end of that wakes us.
                self._news.wait(given_up - now if number == self._version else due - now if now < due else None)
            if self._closed:
                raise ClosedError("the view is being closed")
            self._drawing, self._drawn_at, version = True, now, self._version
        try:
            drawn = (version, _jpeg(self._draw()))
            with self._news:
                self._drawn = drawn
        finally:
            with self._news:
                self._drawing = False
                self._news.notify_all()
        return drawn

    def close(self) -> None:
        """Let nobody wait or draw any more; returns when the last drawing is done."""
        with self._news:
            self._closed = True
            self._news.notify_all()
            # A thread inside OpenCV would take the process down at its end.
            self._news.wait_for(lambda: not self._drawing, LONGEST_WAIT)


class ViewServer:
    """Serves the page to browsers, in threads of its own, from its making to close()."""

    def __init__(self, host: str, port: int, draw: Callable[[], np.ndarray], tell: Callable[[], Told]) -> None:
        """Listen.

        Args:
            host: address or name of this machine to listen on; 127.0.0.1 lets in nobody from outside, 0.0.0.0 all.
            port: to listen on. Where it is taken, the next free one is used; 0 for any.
            draw: as for Picture.
            tell: gives what the page says; called from several threads.

        Raises:
            OSError: nothing can be listened on under `host`; the message names it.
        """
        self.picture = Picture(draw)
        self._server = _listening(host, port)
        self._server.picture, self._server.tell = self.picture, tell
        self.port: int = self._server.server_address[1]
        """Port that is listened on."""
        shown = socket.gethostname() if host in ("", "0.0.0.0") else host
        self.address = f"http://{shown}:{self.port}"
        """What to open in a browser."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="view", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; whoever still looks is left alone."""
        self.picture.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    # Not http.server's own, which asks the name service about the host and may wait for it for long.
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    picture: Picture
    tell: Callable[[], Told]

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):  # these are clients that vanish
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = CLIENT_TIMEOUT
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = cast(_Server, self.server)
        url = urlsplit(self.path)
        try:
            match url.path:
                case "/":
                    self._answer(HTTPStatus.OK, "text/html; charset=utf-8", PAGE.encode())
                case "/picture.jpg":
                    after = parse_qs(url.query).get("after", ["-1"])[0]
                    if not after.removeprefix("-").isdecimal():
                        return self._complain(HTTPStatus.BAD_REQUEST, f"after is {after!r}; it must be a number")
                    number, jpeg = server.picture.newest(int(after))
                    self._answer(HTTPStatus.OK, "image/jpeg", jpeg, {"X-Frame": str(number)})
                case "/facts.json":
                    told = server.tell()
                    self._answer(HTTPStatus.OK, "application/json", json.dumps(vars(told)).encode())
                case _:
                    self._complain(HTTPStatus.NOT_FOUND, "there are /, /picture.jpg and /facts.json")
        except ClosedError as error:
            self._complain(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            self._complain(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")
            raise  # and in full to stderr

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Cache-Control": "no-store", **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _complain(self, status: HTTPStatus, why: str) -> None:
        self._answer(status, "text/plain; charset=utf-8", why.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: a line a request would bury what matters."""


def _listening(host: str, port: int) -> _Server:
    for candidate in [*range(port, min(port + PORTS_TRIED, 65536)), 0] if port else [0]:
        try:
            return _Server((host, candidate), _Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise OSError(
                    f"the view can't listen on host {host!r}, port {candidate}: {error.strerror or error}; host must "
                    "be an IPv4 address of this machine, such as 127.0.0.1 or 0.0.0.0, and port one you may use"
                ) from error
    raise OSError(f"no port is free on host {host!r}")


def _jpeg(picture: np.ndarray) -> bytes:
    done, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not done:
        raise RuntimeError(f"a picture of shape {picture.shape} could not be encoded as JPEG")
    return jpeg.tobytes()
