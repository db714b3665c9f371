"""Keys in environment variables, as CI systems hand secrets out: `env:NAME`, `env:NAME?passphrase-env=OTHER`. PKCS#8 in
PEM, as in a file; a backslash and an n may stand for a line feed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shipworthy.errors import UsageError
from shipworthy.keys._private import KeySigner, load_pem, options_of, passphrase_of
from shipworthy.keys._public import PEM_LIMIT


def open_signer(rest: str, ask: Callable[[str], str] | None, env: Mapping[str, str]) -> KeySigner:
    """Open the key in a variable. Raises UsageError when it is not set, holds no key, or the passphrase is wrong."""
    name, options = options_of(rest, {"passphrase-env"})
    if not name.isidentifier():
        raise UsageError("this is no name of a variable", where=f"env:{name[:60]}", remedy="such as env:RELEASE_KEY")
    text = env.get(name, "")
    if not text.strip():
        raise UsageError(
            "the variable is empty or not set", where=f"env:{name}", remedy="hand it to this job as a secret"
        )
    pem = text.replace("\\n", "\n").strip().encode("utf-8", "replace") + b"\n"
    if len(pem) > PEM_LIMIT or b"PRIVATE KEY" not in pem:
        raise UsageError("the variable holds no private key in PEM", where=f"env:{name}")
    passphrase = passphrase_of(name, options, ask, env) if b"ENCRYPTED" in pem else None
    return load_pem(pem, passphrase, f"env:{name}")
