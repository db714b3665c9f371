"""Passwords, tokens and keys in the files as they are now.

Two sets of eyes: kingfisher, for the tokens of known services, and our own patterns, for values that are named
password, key or secret. Nothing is tried out against a service. Comments such as "ignore this line" are not honoured:
what is accepted is accepted in one place, by a waiver.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.secrets._engine import Source, dialect_of, finding, scan, suffix_of
from shipworthy.checks.secrets._kingfisher import KINGFISHER
from shipworthy.checks.secrets._read import read
from shipworthy.checks.secrets._rules import (
    CLOUD_KEY,
    CLOUD_KEY_ID,
    CONNECTION_STRING,
    GENERIC,
    PASSWORD,
    PRIVATE_KEY,
    TOKEN,
)
from shipworthy.model import Artifact, Finding

RULES = (CLOUD_KEY, CLOUD_KEY_ID, TOKEN, PRIVATE_KEY, PASSWORD, CONNECTION_STRING, GENERIC)
MAX_BYTES = 32 * 1024 * 1024


def sample_token() -> bytes:
    """A line of Python with a worthless token of a well-known form."""
    # Put together here, so that this file holds nothing that looks like a token.
    return b'SLACK = "' + base64.b64decode("eG94Yi0=") + b"752174888515-904584744529-2aEJXquQrDs0GPRZwwrPwV81" + b'"\n'


@check(
    "secrets-files",
    kinds={"code", "text", "requirements", "dockerfile", "iac", "workflow", "prompt"},
    scope="batch",
    version=3,
    needs=(KINGFISHER,),
    canary=Canary(files={"settings.py": sample_token}, rule=TOKEN.id),
    options={"max-bytes": MAX_BYTES},
    timeout=600.0,
)
def run(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings per artifact; `max-bytes` is the largest file that is read."""
    limit = int(context.options.get("max-bytes", MAX_BYTES))
    unread: list[Skipped] = []

    def sources() -> Iterator[tuple[Artifact, Source]]:
        for artifact in artifacts:
            data = read(artifact, limit)
            if isinstance(data, Skipped):
                unread.append(data)
            else:
                yield artifact, Source(data, suffix_of(artifact.uri), dialect_of(artifact.uri))

    for scanned in scan(sources(), context.tools):
        for hit in scanned.hits:
            yield finding(hit, scanned.tag, line=hit.line, column=hit.column)
        if scanned.more:
            reason = f"it holds {scanned.more} more secrets than are listed; treat all of it as leaked"
            yield Skipped(scanned.tag, reason, code="findings-cut")
    yield from unread
