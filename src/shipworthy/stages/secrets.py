"""The signing keys of a run: opened once, held as long as the run, never written anywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from shipworthy.config import Settings
from shipworthy.engine.stage import Job
from shipworthy.errors import UsageError
from shipworthy.evidence.policy import Policy
from shipworthy.keys import Signer, open_signer
from shipworthy.model.roles import ROLES
from shipworthy.stages.trust import signing_uris

StepSigners = Mapping[str, tuple[Signer, ...]]
"""Who signs each step."""


def open_signing_keys(job: Job) -> StepSigners:
    """The keys of `[sign]` by the step that they sign, opened when they are first asked for: people give a passphrase
    once. Raises UsageError when a role has none, or when a passphrase cannot be had.
    """
    if job.signers is None:
        job.signers = open_signers(job.settings, job.root)
    signers: StepSigners = job.signers
    return signers


def names_of(signers: StepSigners, steps: Iterable[str] = ()) -> str:
    """Who signs (these steps, or all), for people."""
    found = {signer.identity for step in (steps or signers) for signer in signers.get(step, ())}
    return ", ".join(sorted(found)) if len(found) < 3 else f"{len(found)} keys"


def policy_of(signers: StepSigners) -> Policy:
    """A policy that believes these signers, each in its own role."""
    keys = {role: tuple(s.public_key() for s in signers[steps[0]]) for role, steps in ROLES.items()}
    return Policy.by_role(keys)


def open_signers(settings: Settings, root: Path) -> StepSigners:
    """The keys of `[sign]` by the step that they sign. Raises UsageError."""
    uris = signing_uris(settings)
    lacking = sorted(ROLES.keys() - uris.keys())
    if lacking:
        raise UsageError(
            "no signing key is named" + ("" if not uris else f" for the role {lacking[0]}"),
            where="[sign] key",
            remedy='make them: `shipworthy keys new --roles ../keys`, then key = "file:../keys/{role}.key"',
        )
    opened: dict[str, Signer] = {}
    for uri in (uri for each in uris.values() for uri in each):
        if uri not in opened:
            opened[uri] = open_one(uri, settings, root)
    return {step: tuple(opened[uri] for uri in uris[role]) for role, steps in ROLES.items() for step in steps}


def open_one(named: str, settings: Settings, root: Path) -> Signer:
    """The key that a URI names; a file relative to the workspace. Raises UsageError."""
    scheme, _, rest = named.partition(":")
    path = Path(rest).expanduser()
    here = scheme == "file" or (scheme == "ssh" and rest.partition("?")[0] != "agent")
    uri = f"{scheme}:{root / path}" if here else named

    def ask(name: str) -> str:
        if settings.sign.passphrase.startswith("env:"):
            given = os.environ.get(settings.sign.passphrase.removeprefix("env:"), "")
            if given:
                return given
        if sys.stdin.isatty():
            import getpass

            return getpass.getpass(f"passphrase of {name}: ")
        raise UsageError(
            "the key has a passphrase", where=name, remedy='say where it is: passphrase = "env:NAME" in [sign]'
        )

    return open_signer(uri, ask=ask)
