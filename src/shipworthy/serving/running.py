"""A service that runs in isolation, and the ways to it."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from shipworthy.errors import EnvironmentFailure
from shipworthy.files import new_folder, remove_folder
from shipworthy.serving.network import Port, listening
from shipworthy.serving.service import Service
from shipworthy.tools.containers import Bind, Container, Ended, Started
from shipworthy.tools.containers import start as start_container
from shipworthy.tools.rootfs import account

_TAIL, _LOG_BYTES = 64 << 10, 16 << 20
_SHORTEST = 6  # characters: to mask less would tell where it is


class Running:
    """A service. `url` and `socket` lead to its port: from this machine's loopback, and by a Unix socket. Use it as a
    context: it is stopped at the end, and nothing of it is left."""

    def __init__(self, service: Service, started: Started, folder: Path, port: int, address: tuple[str, int]) -> None:
        self.service, self.port = service, port
        self.socket = folder / "service.sock"
        self.url = f"http://{address[0]}:{address[1]}"
        self._started, self._folder = started, folder
        self._tail: deque[bytes] = deque()
        self._size, self._ended = 0, False
        self._result: Ended | None = None
        self._reader = threading.Thread(target=self._read, name="service-output", daemon=True)
        self._reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its first process, as the host numbers it."""
        return self._started.pid

    @property
    def isolation(self) -> dict[str, object]:
        """What protects the host from it and what holds its limits, for the record."""
        groups = list(self._started.control_groups)
        return {
            "namespaces": ["mount", "pid", "network", "ipc", "uts"] + ["user"] * self._started.user_namespace,
            "network": "loopback only",
            "root": "writable" if self.service.writable else "read-only",
            "capabilities": [],
            "no-new-privileges": True,
            "seccomp": self._started.filtered,
            "limits-by-control-groups": groups,
            "limits-by-rlimits": ["memory", "processes", "file-size", "open-files"],
        }

    def log(self) -> str:
        """The last 64 KiB of what it printed; control characters are escaped."""
        text = b"".join(self._tail)[-_TAIL:].decode("utf-8", "replace")
        return "".join(one if one.isprintable() or one in "\n\t" else f"\\x{ord(one):02x}" for one in text)

    def listening(self) -> tuple[Port, ...]:
        """The ports that are open inside, as the kernel tells it. Empty when it has ended."""
        if self.ended() is not None:
            return ()
        try:
            return listening(self._started.launcher)
        except OSError:
            return ()

    def ended(self, seconds: float = 0.0) -> Ended | None:
        """How it ended, waiting up to `seconds`; None while it runs."""
        if self._result is None:
            self._result = self._started.ended(seconds)
        return self._result

    def wait_until_ready(self) -> None:
        """Raises EnvironmentFailure when it ends before, or is not ready in its time."""
        deadline = time.monotonic() + self.service.ready_seconds
        last = "its port does not listen"
        while time.monotonic() < deadline:
            if (ended := self.ended(0.05)) is not None:
                raise self._failure(f"the service ended at once {_said(ended)}")
            if not any(one.protocol == "tcp" and one.port == self.port for one in self.listening()):
                continue
            if not self.service.ready:
                return
            last = self._probe(deadline)
            if not last:
                return
        raise self._failure(f"the service is not ready after {self.service.ready_seconds:.0f} s: {last}")

    def stop(self, seconds: float = 10.0) -> Ended:
        """End it: its stop signal, and after `seconds` a kill. May be called again."""
        ended = self.ended()
        if ended is None:
            self._started.send(self.service.stop_signal())
            ended = self.ended(seconds)
        if not self._ended:
            self._ended = True
            self._started.close()
            self._reader.join(5)
            self._started.release()
            remove_folder(self._folder, "service.sock", "hosts")
        if ended is None:
            ended = self.ended() or Ended(137)
        return ended

    def _failure(self, message: str) -> EnvironmentFailure:
        lines = [line for line in self.log().splitlines() if line.strip()][-5:]
        self.stop(1.0)
        said = f": {' / '.join(lines)[-500:]}" if lines else ""
        return EnvironmentFailure(f"{message}{said}", remedy="see what it printed; run it by hand to look closer")

    def _probe(self, deadline: float) -> str:
        """Why it is not ready yet; "" when it is."""
        connection = _Connection(str(self.socket), timeout=max(0.1, min(5.0, deadline - time.monotonic())))
        try:
            connection.request("GET", self.service.ready, headers={"Host": "localhost", "Connection": "close"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            time.sleep(0.05)
            return f"{self.service.ready}: {type(error).__name__}"
        finally:
            connection.close()
        if status >= 500:
            time.sleep(0.1)
            return f"{self.service.ready} is answered with {status}"
        return ""

    def _read(self) -> None:
        """Read its output until it ends: a service must never wait for its log."""
        handle = -1
        if self.service.log is not None:
            with contextlib.suppress(OSError):
                handle = os.open(self.service.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        written = 0
        masked = Masked(self.service.secrets)
        try:
            going = True
            while going:
                data = os.read(self._started.output, 65_536)
                going = bool(data)
                data = masked.pass_on(data)
                self._tail.append(data)
                self._size += len(data)
                while self._tail and self._size - len(self._tail[0]) > _TAIL:
                    self._size -= len(self._tail.popleft())
                if handle >= 0 and written < _LOG_BYTES:
                    with contextlib.suppress(OSError):
                        written += os.write(handle, data[: _LOG_BYTES - written])
        except OSError:
            return
        finally:
            if handle >= 0:
                os.close(handle)


class Masked:
    """Replaces secrets in a stream, also where one lies in two pieces."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = {value.encode(): f"[{name}]".encode() for name, value in secrets.items()}
        self._values = sorted((one for one in self._secrets if len(one) >= _SHORTEST), key=len, reverse=True)
        self._held = b""

    def pass_on(self, data: bytes) -> bytes:
        """What can be passed on of the bytes so far; with no bytes, the rest."""
        whole, at = self._held + data, 0
        parts: list[bytes] = []
        while True:
            places = [(place, -len(one), one) for one in self._values if (place := whole.find(one, at)) >= 0]
            begun = self._begun(whole, at) if data else len(whole)
            if not places or begun <= min(places)[0]:
                self._held = whole[begun:]
                return b"".join((*parts, whole[at:begun]))
            place, _, value = min(places)
            parts += [whole[at:place], self._secrets[value]]
            at = place + len(value)

    def _begun(self, whole: bytes, at: int) -> int:
        """Where what may become a secret begins, at the end of the bytes."""
        longest = len(self._values[0]) - 1 if self._values else 0
        for place in range(max(at, len(whole) - longest), len(whole)):
            if any(one.startswith(whole[place:]) and len(one) > len(whole) - place for one in self._values):
                return place
        return len(whole)


class _Connection(http.client.HTTPConnection):
    """HTTP by a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def start(service: Service) -> Running:
    """Start the service and wait until it is ready. Raises UsageError when the image cannot be run as it is,
    EnvironmentFailure when isolation cannot be had here, or the service ends or does not become ready."""
    user = account(service.rootfs.resolve(), str(service.settings.get("User") or ""))
    port = service.listens_on()
    container = Container(
        service.rootfs,
        service.argv(),
        env=service.environment(user.home),
        cwd=str(service.settings.get("WorkingDir") or "/"),
        uid=user.uid,
        gid=user.gid,
        groups=user.groups,
        writable=service.writable,
        volumes=[*(["/tmp"] if service.writable else []), *service.empty_folders()],  # noqa: S108
        use=service.use,
        seconds=service.seconds,
    )
    folder = new_folder(None, "shipworthy-service-")
    files = [folder / "service.sock"]
    try:
        if not (service.rootfs / "etc").is_symlink() and not (service.rootfs / "etc" / "hosts").is_symlink():
            files.append(folder / "hosts")  # as every container engine gives: images have none, or an empty one
            files[1].write_text("127.0.0.1 localhost\n::1 localhost\n", encoding="ascii")
            os.chmod(files[1], 0o644)
            container = replace(container, binds=[Bind(files[1], "/etc/hosts")])
        with socket.socket() as outer, socket.socket(socket.AF_UNIX) as inner:
            outer.bind(("127.0.0.1", 0))
            inner.bind(str(folder / "service.sock"))
            os.chmod(folder / "service.sock", 0o600)
            for one in (outer, inner):
                one.listen(128)
            started = start_container(container, listeners=(outer, inner), port=port, remove=files)
            running = Running(service, started, folder, port, outer.getsockname())
    except BaseException:
        remove_folder(folder, "service.sock", "hosts")
        raise
    try:
        running.wait_until_ready()
    except BaseException:
        running.stop(0.5)
        raise
    return running


def _said(ended: Ended) -> str:
    if ended.refused:
        return f"({ended.refused})"
    reached = f", out of {' and '.join(ended.exceeded)}" if ended.exceeded else ""
    return f"with status {ended.status}{reached}"
