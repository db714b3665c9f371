"""SSH keys: `ssh:PATH` is a private key of OpenSSH, `ssh:agent?key=SHA256:…` one that an agent holds. Ed25519, or ECDSA
on P-256.

The agent is asked over `SSH_AUTH_SOCK` (draft-ietf-sshm-ssh-agent): which keys it has, and to sign. Its key never
leaves it. What it signs is the same as with every other key; no SSH signature format (SSHSIG) is involved.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.keys._private import KeySigner, options_of, passphrase_of, read_private, signer_of
from shipworthy.keys._public import PublicKey, public_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENTITIES, _ANSWER, _SIGN, _SIGNED = 11, 12, 13, 14
_LONGEST = 256 * 1024
_SECONDS = 60  # a person may have to touch a token
_KINDS = {b"ssh-ed25519": "ed25519", b"ecdsa-sha2-nistp256": "ecdsa-p256-sha256"}


def open_signer(rest: str, ask: Callable[[str], str] | None, env: Mapping[str, str]) -> KeySigner | AgentSigner:
    """Open a key file of OpenSSH, or find a key of the agent. Raises UsageError for one that is not there, readable by
    others, of another kind, or whose passphrase is wrong; EnvironmentFailure when the agent cannot be asked.
    """
    place, options = options_of(rest, {"passphrase-env", "key"})
    if place == "agent":
        return _of_agent(options.get("key", ""), env)
    path = Path(unquote(place)).expanduser()
    return _of_file(read_private(path), path, options, ask, env)


def _of_file(
    pem: bytes, path: Path, options: Mapping[str, str], ask: Callable[[str], str] | None, env: Mapping[str, str]
) -> KeySigner:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    passphrase = None
    for _ in range(2):
        try:
            return signer_of(load_ssh_private_key(pem, passphrase), str(path))
        except TypeError:  # it has a passphrase
            passphrase = passphrase_of(path.name, options, ask, env)
        except UnsupportedAlgorithm:
            raise UsageError(
                "a key of OpenSSH with a passphrase needs the package bcrypt",
                where=str(path),
                remedy="pip install shipworthy[ssh]; or have an agent hold it: ssh-add, then ssh:agent",
            ) from None
        except ValueError:
            problem = "the passphrase is wrong, or the key is damaged" if passphrase else "this is no key of OpenSSH"
            raise UsageError(problem, where=str(path)) from None
    raise UsageError("the key cannot be opened", where=str(path))


@dataclass(frozen=True)
class AgentSigner:
    """A key that an agent holds."""

    socket_path: str
    blob: bytes
    public: PublicKey

    @property
    def identity(self) -> str:
        """The start of the key id."""
        return f"key {self.public.keyid[:16]}"

    def public_key(self) -> PublicKey:
        """The key that verifies."""
        return self.public

    def sign(self, message: bytes) -> bytes:
        """The signature, verified. Raises EnvironmentFailure when the agent refuses, or answers another one."""
        request = bytes([_SIGN]) + _string(self.blob) + _string(message) + struct.pack(">I", 0)
        kind, body = _ask(self.socket_path, request)
        if kind != _SIGNED:
            raise _failed("the agent refused to sign", "confirm it if the agent asks, and try again")
        signature = self._signature(next(_strings(body), b""))
        if not self.public.verify(message, signature):
            raise _failed("the agent's signature does not verify", "try `ssh-add -T` with the public key")
        return signature

    def _signature(self, blob: bytes) -> bytes:
        parts = list(_strings(blob))
        if len(parts) != 2 or _KINDS.get(parts[0]) != self.public.algorithm:
            raise _failed("the agent answered another kind of signature", "use a key of Ed25519, or ECDSA on P-256")
        if self.public.algorithm == "ed25519":
            return parts[1]
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        numbers = [int.from_bytes(one, "big") for one in _strings(parts[1])]
        if len(numbers) != 2:
            raise _failed("the agent answered a malformed signature", "try another agent")
        return encode_dss_signature(*numbers)


def _of_agent(wanted: str, env: Mapping[str, str]) -> AgentSigner:
    path = env.get("SSH_AUTH_SOCK", "")
    if not path:
        raise UsageError("no agent runs here: SSH_AUTH_SOCK is not set", where="ssh:agent", remedy="eval $(ssh-agent)")
    kind, body = _ask(path, bytes([_IDENTITIES]))
    if kind != _ANSWER or len(body) < 4:
        raise _failed("the agent does not say which keys it has", "is SSH_AUTH_SOCK that of an SSH agent?")
    blobs = list(_strings(body[4:]))[::2]  # each is followed by a comment
    known = {_fingerprint(blob): blob for blob in blobs if next(_strings(blob), b"") in _KINDS}
    if not wanted and len(known) == 1:
        wanted = next(iter(known))
    if wanted not in known:
        raise UsageError(
            f"the agent has no such key: {wanted[:80]}" if wanted else f"the agent has {len(known)} keys that can sign",
            where="ssh:agent",
            remedy=f"name one: {', '.join(f'ssh:agent?key={name}' for name in sorted(known)[:5])}"
            if known
            else "add one: ssh-add ~/.ssh/id_ed25519",
        )
    blob = known[wanted]
    return AgentSigner(path, blob, _public(blob))


def _public(blob: bytes) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    name = next(_strings(blob), b"")
    try:
        key = load_ssh_public_key(name + b" " + base64.b64encode(blob))
    except (ValueError, UnsupportedAlgorithm):
        raise _failed("the agent holds a malformed key", "remove it: ssh-add -d") from None
    return public_of(key, "ssh:agent")


def _fingerprint(blob: bytes) -> str:
    """As `ssh-add -l` shows it."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def _ask(path: str, request: bytes) -> tuple[int, bytes]:
    """One request to the agent: the kind of its answer, and what is in it."""
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(_SECONDS)
            wire.connect(path)
            wire.sendall(_string(request))
            (length,) = struct.unpack(">I", _exactly(wire, 4))
            if not 0 < length <= _LONGEST:
                raise _failed("the agent's answer is too long, or empty", "is SSH_AUTH_SOCK that of an SSH agent?")
            answer = _exactly(wire, length)
    except OSError as error:
        why = error.strerror or str(error) or "no answer"
        raise _failed(f"the agent cannot be asked: {why}", "is it still running? `ssh-add -l`") from None
    return answer[0], answer[1:]


def _exactly(wire: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        block = wire.recv(length - len(found))
        if not block:
            raise OSError("it hung up")
        found += block
    return found


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes) -> Iterator[bytes]:
    """The strings of RFC 4251 (section 5) that data begins with; it stops at what is none."""
    at = 0
    while at + 4 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 4 + length > len(data):
            return
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


def _failed(problem: str, remedy: str) -> EnvironmentFailure:
    return EnvironmentFailure(problem, where="ssh:agent", remedy=remedy)
