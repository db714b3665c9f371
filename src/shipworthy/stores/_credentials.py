"""Credentials for a registry: from where the settings say, for the host that they name, and sent nowhere else."""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipworthy.errors import UsageError
from shipworthy.patterns import regex

_CONFIG_LIMIT = 1024 * 1024
_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_PARAMETER = regex(r'\s*,?\s*([A-Za-z_]{1,32})="([^"\\]{0,2048})"')
TOKEN = regex(r"[A-Za-z0-9._~+/=-]{1,32768}")
"""RFC 6750, section 2.1: what may stand after `Bearer`."""


@dataclass(frozen=True)
class Credentials:
    """A user's name and password (or token); neither is ever shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    def basic(self) -> str:
        """The header's value (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


@dataclass(frozen=True)
class Challenge:
    """What a `WWW-Authenticate` header asks for (RFC 9110, section 11.6.1)."""

    scheme: str
    parameters: dict[str, str]


def challenge(header: str) -> Challenge:
    """Read a header's first challenge; what is not understood is left out."""
    scheme, _, rest = header[:8192].strip().partition(" ")
    found: dict[str, str] = {}
    at = 0
    while len(found) < 16 and (match := _PARAMETER.match(rest, at)):
        found.setdefault(match[1].lower(), match[2])
        at = match.end()
    return Challenge(scheme.lower(), found)


def find(reference: str, host: str) -> Credentials | None:
    """The credentials for the registry at `host` (with its port if it has one): none for an empty reference.

    `env:NAME` is a variable that holds `user:password@host`: as it names the host, settings cannot send it to another
    one. `docker-config` is what `docker login` left in `$DOCKER_CONFIG` or `~/.docker/config.json`. Raises UsageError.
    """
    if not reference:
        return None
    if reference == "docker-config":
        return _from_docker(host)
    scheme, _, name = reference.partition(":")
    if scheme != "env" or not name:
        raise UsageError(
            "this is no place for a registry's credentials",
            where=f"credentials for {host}",
            remedy="`env:NAME` (a variable that holds user:password@host) or `docker-config`",
        )
    value = os.environ.get(name, "")
    pair, at, named = value.rpartition("@")
    user, colon, password = pair.partition(":")
    if not value or not at or not colon or not user:
        raise UsageError(
            f"the variable {name} is not set" if not value else f"{name} does not hold user:password@host",
            where=f"credentials for {host}",
            remedy=f"set it to user:password@{host}",
        )
    if named != host:
        raise UsageError(
            f"the credentials in {name} are for another host",
            where=f"credentials for {host}",
            remedy=f"they are sent to the host that they name: user:password@{host}",
        )
    return _sound(user, password, host)


def _sound(user: str, password: str, host: str) -> Credentials:
    if any(char < " " or char == "\x7f" for char in user + password) or ":" in user:
        raise UsageError("the credentials hold control characters", where=f"credentials for {host}")
    return Credentials(user, password)


def _from_docker(host: str) -> Credentials | None:
    folder = os.environ.get("DOCKER_CONFIG", "")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    keys = ("https://index.docker.io/v1/", *sorted(_HUB)) if host in _HUB else (host, f"https://{host}")
    value = _config(path)
    entry = next((found for key in keys if isinstance(found := value.get("auths", {}).get(key), dict)), None)
    if entry and isinstance(entry.get("auth"), str) and entry["auth"]:
        try:
            user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise UsageError(f"the entry for {host} is damaged", where=str(path), remedy="log in again") from None
        return _sound(user, password.rstrip("\0"), host)
    helper = value.get("credsStore") or (value.get("credHelpers") or {}).get(host)
    if helper or entry is not None:
        raise UsageError(
            f"the credentials for {host} are kept by a helper program, which is not run",
            where=str(path),
            remedy='give them in a variable: credentials = "env:NAME"',
        )
    return None


def _config(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            value = json.loads(stream.read(_CONFIG_LIMIT))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, RecursionError):
        raise UsageError("is not JSON", where=str(path), remedy="log in again with the client that wrote it") from None
    sound = isinstance(value, dict) and isinstance(value.get("auths", {}), dict)
    if not sound or not isinstance(value.get("credHelpers") or {}, dict):
        raise UsageError("is no configuration of docker", where=str(path))
    return dict(value)
