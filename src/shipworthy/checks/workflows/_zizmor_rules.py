"""What zizmor's audits mean to us: weakness, why and what to do, in our words. https://docs.zizmor.sh/audits/"""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

from types import MappingProxyType

from shipworthy.checks.workflows._actions_rules import RULES as OURS
from shipworthy.checks.workflows._actions_rules import rule
from shipworthy.model import Confidence, Rule

_M = Confidence.MEDIUM
# Its audits that mean what a rule of ours does.
_ALIKE = {
    "artipacked": "persisted-credentials", "bot-conditions": "spoofable-actor", "cache-poisoning": "cache-poisoning",
    "dangerous-triggers": "dangerous-trigger", "excessive-permissions": "wide-permissions", "github-env": "environment-write",
    "insecure-commands": "unsecure-commands", "known-vulnerable-actions": "compromised-action",
    "overprovisioned-secrets": "all-secrets", "secrets-inherit": "secrets-inherit", "self-hosted-runner": "self-hosted-runner",
    "template-injection": "script-injection", "unpinned-uses": "unpinned-action", "unsound-condition": "constant-condition",
    "unsound-contains": "substring-condition", "undocumented-permissions": "no-permissions",
}  # fmt: skip
_TABLE = (
    ("hardcoded-container-credentials", "high", "CWE-798 CICD-SEC-6", "A registry's password stands in the workflow", "Everybody who can read the repository has it.", "Move it to the secrets, and change it."),
    ("unpinned-images", "low", "CWE-829 CICD-SEC-3", "A job runs in an image that can change", "A tag can be moved to another image at any time.", "Name the digest: image@sha256:<64 hex digits>."),
    ("unredacted-secrets", "medium", "CWE-532 CICD-SEC-6", "A part of a secret is used that logs do not mask", "Only the whole value is masked: a field of a JSON secret is printed as it is.", "Store each value as a secret of its own."),
    ("secrets-outside-env", "low", "CWE-522 CICD-SEC-6", "A secret is used without an environment that guards it", "An environment can demand a review before its secrets are given out.", "Put the secret into an environment, and name that in the job."),
    ("use-trusted-publishing", "low", "CWE-522 CICD-SEC-6", "Packages are published with a long-lived token", "Whoever gets the token can publish under this name, at any time.", "Use the index's trusted publishing (OpenID Connect)."),
    ("ref-confusion", "medium", "CWE-829 CICD-SEC-3", "An action's name stands for a tag and a branch", "Which of the two is run is not certain.", "Name the commit."),
    ("impostor-commit", "high", "CWE-829 CICD-SEC-3", "A commit of an action is not of its repository", "GitHub finds commits of forks under the original's name.", "Name a commit of the original's history."),
    ("forbidden-uses", "medium", "CWE-829 CICD-SEC-3", "An action is used that is forbidden here", "The settings of zizmor forbid it.", "Use another one."),
    ("archived-uses", "low", "CWE-1104 CICD-SEC-3", "An action is used that nobody maintains", "Its weaknesses will not be mended.", "Use one that is maintained."),
    ("obfuscation", "medium", "CWE-506 CICD-SEC-4", "A workflow hides what it does", "Paths and expressions are written so that people and scanners misread them.", "Write them plainly."),
    ("ref-version-mismatch", "low", "CWE-829 CICD-SEC-3", "The comment beside a commit names another version", "Whoever reads it believes that another version runs.", "Correct the comment, or the commit."),
    ("stale-action-refs", "low", "CWE-829 CICD-SEC-3", "A commit of an action is of no version", "It is not known what stands between the releases.", "Name the commit of a release."),
    ("github-app", "medium", "CWE-250 CICD-SEC-5", "An app's token may do more than is needed", "A token without limits has all rights of the app's installation.", "Give `permission-*` inputs and the repositories."),
    ("adhoc-packages", "low", "CWE-829 CWE-1357 CICD-SEC-3", "A workflow installs packages that are not locked", "The next run may install other code.", "Install from a lock file with digests."),
)  # fmt: skip


def _renamed(ident: str, like: Rule) -> Rule:
    return Rule(
        f"zizmor-{ident}", like.title, like.severity, like.description, like.remedy, _M, like.taxonomy, like.help
    )


OTHER = rule(
    "zizmor-other",
    "medium",
    _M,
    "CICD-SEC-4 CWE-693",
    "zizmor reports this workflow",
    "An audit of zizmor that this version has no words of its own for; its message says what it saw.",
    "Read the audit's page at https://docs.zizmor.sh/audits/.",
)
RULES = MappingProxyType(
    {ident: _renamed(ident, OURS[name]) for ident, name in _ALIKE.items()}
    | {row[0]: rule(f"zizmor-{row[0]}", row[1], _M, *row[2:]) for row in _TABLE}
    | {"other": OTHER}
)  # fmt: skip
