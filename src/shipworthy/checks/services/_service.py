"""What is known of a service that runs: the file `service.json` in its folder, which whoever started it writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from shipworthy.records import dataclass, field

NAME = "service.json"
LARGEST = 4_000_000  # bytes
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Unreadable(Exception):
    """The description is missing, or says what it must not."""


@dataclass(frozen=True)
class Probe:
    """A request that the service answers when it is well."""

    path: str = "/"
    method: str = "GET"
    body: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True)
class ServiceInfo:
    """A running service, as the checks need to know it.

    `url` is where it is reached, `socket` the path of a unix socket used instead of its host and port: no other
    address is ever connected to. `health` is a path of the service. `openapi` is a file in the folder, a path of
    the service (`/openapi.json`), or empty. `listening` are the [ip, port] that listen inside of its network
    namespace; None: nobody looked. `expected_ports` are those that it is meant to have there. `scan_host` is an
    address that is the service's alone, whose ports are all tried; empty where it shares one, such as this
    machine's loopback.

    `log` is a file in the folder that the service's output goes to. `image_config` is the OCI configuration.
    `runtime` says how it is run, as `shipworthy.serving` tells it: `user` (int), `root` (`read-only`),
    `capabilities` (names), `no-new-privileges`, `seccomp` (bool), `limits-by-control-groups` and
    `limits-by-rlimits` (names), `network` (`loopback only`: it reaches nothing but itself); what is not in there is
    not known. `credentials` is the value of an `Authorization` header. `rootfs` is where its files lie unpacked, as
    an absolute path, or empty.
    """

    url: str
    socket: str = ""
    health: str = ""
    openapi: str = ""
    probe: Probe = field(default_factory=Probe)
    listening: tuple[tuple[str, int], ...] | None = None
    expected_ports: tuple[int, ...] = ()
    scan_host: str = ""
    log: str = ""
    image_config: Mapping[str, Any] = field(default_factory=dict)
    runtime: Mapping[str, Any] = field(default_factory=dict)
    rootfs: str = ""
    tls: bool = False
    llm: bool = False
    credentials: str = field(default="", repr=False)
    environment: str = "test"
    public: bool = False

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            wrong = not (parts.port is None or 0 < parts.port < 65_536)
        except ValueError:
            raise Unreadable(f"`url` is no address: {self.url[:60]!r}") from None
        if (
            wrong
            or parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.path not in ("", "/")
        ):
            raise Unreadable(f"`url` must be http://HOST:PORT, not {self.url[:60]!r}")
        if self.environment not in ("test", "deploy"):
            raise Unreadable(f"`environment` is `test` or `deploy`, not {self.environment[:20]!r}")
        if self.environment == "test" and parts.hostname not in LOOPBACK:
            raise Unreadable("a service under test is attacked on the loopback address only")
        for path in (self.health, self.probe.path):
            if path and not path.startswith("/"):
                raise Unreadable(f"a path of the service begins with `/`, not {path[:40]!r}")

    @classmethod
    def read(cls, folder: Path) -> ServiceInfo:
        """The description in the folder. Raises Unreadable."""
        try:
            with open(folder / NAME, "rb") as stream:
                data = stream.read(LARGEST + 1)
            value = json.loads(data) if len(data) <= LARGEST else None
        except (OSError, ValueError, RecursionError) as error:
            raise Unreadable(f"{NAME} cannot be read ({type(error).__name__})") from None
        if not isinstance(value, dict):
            raise Unreadable(f"{NAME} is no JSON object")
        return _service(value)

    def write(self, folder: Path) -> Path:
        """Write the description into the folder, readable by its owner only; gives its path."""
        value = {name: getattr(self, name) for name in get_type_hints(type(self))}
        value["probe"] = {name: getattr(self.probe, name) for name in get_type_hints(Probe)}
        path = folder / NAME
        path.touch(mode=0o600)
        path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return path

    @property
    def host(self) -> str:
        """The host of the address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the address."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def secure(self) -> bool:
        """Is the address itself one of TLS?"""
        return self.url.startswith("https:")

    @property
    def isolated(self) -> bool:
        """Does the service reach nothing but itself?"""
        return self.runtime.get("network") in ("none", "loopback only")


def inside(folder: Path, name: str) -> Path | None:
    """A file of the folder by its plain name; None for anything else."""
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or ".." in parts:
        return None
    path = folder.joinpath(*parts)
    return path if path.is_file() and not path.is_symlink() else None


_TEXTS = ("url", "socket", "health", "openapi", "scan_host", "log", "rootfs", "credentials", "environment")
_FLAGS = ("tls", "llm", "public")


def _service(value: Mapping[str, Any]) -> ServiceInfo:
    known = get_type_hints(ServiceInfo)
    if unknown := [name for name in value if name not in known]:
        raise Unreadable(f"{NAME} has the unknown key {unknown[0][:40]!r}")
    if "url" not in value:
        raise Unreadable(f"{NAME} has no `url`")
    for names, kind in ((_TEXTS, str), (_FLAGS, bool), (("image_config", "runtime", "probe"), dict)):
        for name in names:
            if name in value and not isinstance(value[name], kind):
                raise Unreadable(f"`{name}` in {NAME} is no {kind.__name__}")
    probe = value.get("probe", {})
    if not all(name in get_type_hints(Probe) and isinstance(text, str) for name, text in probe.items()):
        raise Unreadable(f"`probe` in {NAME} has path, method, body and content_type, which are texts")
    given = {name: value[name] for name in (*_TEXTS, *_FLAGS, "image_config", "runtime") if name in value}
    try:
        listening = value.get("listening")
        ports = tuple(int(port) for port in value.get("expected_ports", ()))
        seen = None if listening is None else tuple((str(ip), int(port)) for ip, port in listening)
        return ServiceInfo(**given, probe=Probe(**probe), listening=seen, expected_ports=ports)
    except (TypeError, ValueError):
        raise Unreadable(f"`listening` or `expected_ports` in {NAME} are no ports") from None
