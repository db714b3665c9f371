"""The detector as a service: POST /predict with {"text": "..."}; GET /healthz.

    APP_HOST=127.0.0.1 APP_PORT=8080 APP_MODEL=model python app.py

Answers are JSON and never say more than a client needs to know. Texts are not logged.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from classifier import LABELS, MAX_CHARACTERS, THRESHOLD, Model

MAX_BODY = 64 * 1024
MAX_REQUESTS = 16
SECONDS = 10.0
HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Refused(Exception):
    """A request that gets an answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Server(ThreadingHTTPServer):
    """One thread for each request, and at most `MAX_REQUESTS` of them."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], model: Model, digest: str) -> None:
        super().__init__(address, Handler)
        self.model = model
        self.digest = digest
        self._places = threading.BoundedSemaphore(MAX_REQUESTS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Wait for a free place, for `SECONDS` at most; else close the connection."""
        if not self._places.acquire(timeout=SECONDS):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and give the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is one line, not a traceback."""
        print(f"connection broken: {type(sys.exception()).__name__}", file=sys.stderr, flush=True)


class Handler(BaseHTTPRequestHandler):
    """Reads one request and answers it."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def version_string(self) -> str:
        """What the Server header says: nothing of versions."""
        return "prompt-injection-detector"

    def do_GET(self) -> None:
        """`/healthz`."""
        self._answer(self._health)

    def do_POST(self) -> None:
        """`/predict`."""
        self._answer(self._predict)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Errors of the HTTP parser, as JSON too."""
        self._send(int(code), {"error": "the request was not understood"}, close=True)

    def log_message(self, format: str, *args: Any) -> None:
        """The status line only, with control characters escaped."""
        print(ascii(format % args)[1:-1], file=sys.stderr, flush=True)

    def _answer(self, work: Any) -> None:
        try:
            self._send(200, work())
        except Refused as refused:
            self._send(refused.status, {"error": refused.message}, close=True)
        except OSError:
            raise
        except Exception as error:
            print(f"internal error: {type(error).__name__}", file=sys.stderr, flush=True)
            self._send(500, {"error": "internal error"}, close=True)

    def _health(self) -> dict[str, object]:
        if self.path != "/healthz":
            raise Refused(404, "not found")
        return {"status": "ok", "model": self.server.digest}

    def _predict(self) -> dict[str, object]:
        if self.path != "/predict":
            raise Refused(404, "not found")
        text = self._text(self._body())
        score = self.server.model.score(text)
        return {"label": LABELS[score >= THRESHOLD], "score": round(score, 6), "model": self.server.digest}

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise Refused(411, "send Content-Length")
        lengths = self.headers.get_all("Content-Length") or []
        if len(lengths) != 1:
            raise Refused(411, "send Content-Length once")
        if not (lengths[0].isascii() and lengths[0].isdigit()) or len(lengths[0]) > 12:
            raise Refused(400, "Content-Length is not a number")
        if int(lengths[0]) > MAX_BODY:
            raise Refused(413, f"the body is larger than {MAX_BODY} bytes")
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "send application/json")
        body = self.rfile.read(int(lengths[0]))
        if len(body) != int(lengths[0]):
            raise Refused(400, "the body is shorter than Content-Length says")
        return body

    def _text(self, body: bytes) -> str:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused(400, "the body is not JSON") from None
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise Refused(400, 'send {"text": "..."}')
        if len(text) > MAX_CHARACTERS:
            raise Refused(413, f"the text is longer than {MAX_CHARACTERS} characters")
        return text

    def _send(self, status: int, value: dict[str, object], *, close: bool = False) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, content in HEADERS.items():
            self.send_header(name, content)
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main() -> None:
    """Load the model, serve until SIGTERM or SIGINT."""
    folder = Path(os.environ.get("APP_MODEL", "model"))
    address = os.environ.get("APP_HOST", "127.0.0.1"), int(os.environ.get("APP_PORT", "8080"))
    try:
        model = Model.load(folder)
        digest = "sha256:" + hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"cannot load the model in {folder}: {error}") from None
    with Server(address, model, digest) as server:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"listening on http://{server.server_address[0]}:{server.server_address[1]}", flush=True)
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
