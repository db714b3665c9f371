"""Which artifact a report's path means, and which findings mean the same."""

from __future__ import annotations

import _compat_pickle
from collections.abc import Iterable

from shipworthy.model import Artifact, Finding
from shipworthy.witnesses.claims import Claim


def matched(path: str, artifacts: Iterable[Artifact]) -> Artifact | None:
    """The artifact that a path of a report means, by the longest common end; None when there is none, or several.

    Reports are made in other folders and on other machines: `/build/models/m.pkl` means `models/m.pkl` here.
    """
    wanted = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    best: list[Artifact] = []
    length = 0
    for artifact in artifacts:
        have = artifact.uri.split("/")
        common = 0
        while common < min(len(wanted), len(have)) and wanted[-1 - common] == have[-1 - common]:
            common += 1
        if common < min(len(wanted), len(have)) or not common:  # one must be the end of the other
            continue
        if common > length:
            best, length = [artifact], common
        elif common == length:
            best.append(artifact)
    return best[0] if len(best) == 1 else None


def same_meaning(finding: Finding, artifact: Artifact, claim: Claim) -> bool:
    """Whether a finding and a claim are about the same file and the same callable."""
    own = finding.key.partition("|")[0]
    return bool(
        claim.callable
        and finding.artifact.uri == artifact.uri
        and ":" in own
        and _spelled(own) == _spelled(claim.callable)
    )


def _spelled(key: str) -> str:
    """One spelling for a callable: Python 2's names as Python 3 imports them, dots alike."""
    module, _, name = key.partition(":")
    module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
    return f"{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}"
