"""What can be wrong with a workflow or an action of GitHub: one rule, one row."""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

from types import MappingProxyType

from shipworthy.model import Confidence, Rule, Severity

_H, _M, _L = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW


def rule(
    identifier: str, severity: str, confidence: Confidence, taxonomy: str, title: str, why: str, remedy: str
) -> Rule:
    """A rule of a table's row; the taxonomy ids are separated by blanks."""
    return Rule(
        identifier, title, Severity(severity), why, remedy, confidence=confidence, taxonomy=tuple(taxonomy.split()), help="ci-workflows"
    )  # fmt: skip


DOWNLOAD_AND_RUN = rule(
    "ci-download-and-run",
    "medium",
    _M,
    "CWE-494 CWE-829 CICD-SEC-3",
    "A script is fetched and run unseen",
    "Whoever controls the server, or the way to it, runs code in the build, with its secrets.",
    "Fetch a fixed version, compare its digest (sha256sum --check), then run it.",
)
PRIVILEGED = rule(
    "ci-privileged-container",
    "medium",
    _M,
    "CWE-250 CICD-SEC-7",
    "A container gets the rights of its host",
    "Code in a privileged container, or one with the engine's socket, can take over the runner and what other jobs leave there.",
    "Drop --privileged and the socket; build images with buildah or kaniko, which need neither.",
)
HARDCODED = rule(
    "ci-hard-coded-credential",
    "high",
    _M,
    "CWE-798 CICD-SEC-6",
    "A password stands in the workflow",
    "Everybody who can read the repository, and every fork, has it.",
    "Move it to the CI system's secrets, and change it: it is in the history.",
)
IMAGE = rule(
    "ci-unpinned-image",
    "low",
    _H,
    "CWE-829 CICD-SEC-3",
    "A job runs in an image that can change",
    "A tag can be moved to another image at any time; its code runs with the job's secrets.",
    "Name the digest: image@sha256:<64 hex digits>.",
)
SHARED = (DOWNLOAD_AND_RUN, PRIVILEGED, HARDCODED, IMAGE)

_TABLE: tuple[tuple[str, str, Confidence, str, str, str, str], ...] = (
    ("untrusted-checkout", "critical", _M, "CWE-829 CICD-SEC-4", "A privileged workflow checks out code of a stranger", "pull_request_target, workflow_run and issue_comment run with this repository's secrets and write token. Anybody can open a pull request: what its code, build scripts or tests do then happens with these.", "Build and test under `pull_request`, which has no secrets. What needs secrets goes into a workflow of its own that does not run the pull request's code."),
    ("script-injection", "high", _H, "CWE-78 CWE-94 CICD-SEC-4", "Text of strangers becomes part of a script", "${{ }} is pasted into the script before a shell reads it: a title such as `$(curl ...)` runs as code with the job's token.", "Hand it over as an environment variable and quote it: `env: {TITLE: ${{ github.event.issue.title }}}`, then \"$TITLE\"."),
    ("input-injection", "medium", _M, "CWE-78 CWE-94 CICD-SEC-4", "An input becomes part of a script", "Whoever may start the workflow, or use the action, puts commands of their own into it.", "Hand it over as an environment variable and quote it: `env: {NAME: ${{ inputs.name }}}`, then \"$NAME\"."),
    ("unpinned-action", "medium", _H, "CWE-829 CWE-1357 CICD-SEC-3", "An action is used by a name that can move", "A tag or branch can be pointed at other code at any time, as happened to tj-actions/changed-files in March 2025: it then runs with the job's secrets.", "Name the commit, with the version beside it: `uses: owner/action@<40 hex digits> # v1.2.3`."),
    ("compromised-action", "high", _H, "CWE-506 CWE-1395 CICD-SEC-3", "An action is used in a version that was compromised or is vulnerable", "The weakness is public, and workflows that use it can be found by a search.", "Use the fixed version by its commit; if the compromised version ran, replace all secrets that it could read."),
    ("no-permissions", "low", _M, "CWE-250 CWE-276 CICD-SEC-5", "The workflow does not say which rights its token needs", "The token then has what the organisation's default gives, which may be write access to everything in the repository.", "Begin with `permissions: {contents: read}` at the top, and add rights for single jobs."),
    ("wide-permissions", "medium", _H, "CWE-250 CWE-269 CICD-SEC-5", "The token may do more than the jobs need", "Every step, also an action of somebody else, can use the token.", "Give each job only what it needs: `permissions: {contents: read, packages: write}`."),
    ("secrets-inherit", "medium", _H, "CWE-522 CICD-SEC-6", "All secrets are handed to another workflow", "The called workflow needs some; it gets every secret of the repository and the organisation, now and later.", "Name them: `secrets: {TOKEN: ${{ secrets.TOKEN }}}`."),
    ("all-secrets", "high", _H, "CWE-522 CICD-SEC-6", "All secrets are handed over at once", "toJSON(secrets) and secrets[...] bring every secret onto the runner, where each step can read them.", "Name the secret that the step needs."),
    ("wide-secret", "low", _H, "CWE-522 CICD-SEC-6", "A secret is in the environment of every step", "Each step, also an action of somebody else, can read it.", "Put it into the `env` of the one step that needs it."),
    ("secret-in-script", "low", _M, "CWE-532 CICD-SEC-6", "A secret is pasted into a script", "It ends up in the script's file on the runner and in the list of processes, and a quote in it breaks the script.", "Hand it over as an environment variable of the step."),
    ("self-hosted-runner", "high", _M, "CWE-829 CICD-SEC-7", "Pull requests run on a machine of one's own", "In a public repository anybody can run code on it; what that leaves there meets the next job.", "Use hosted runners for pull requests, or single-use machines that hold nothing."),
    ("cache-poisoning", "medium", _M, "CWE-345 CICD-SEC-9", "A release is built with a cache that other runs can fill", "A less trusted workflow can put files into the cache that then become part of what is published.", "Build releases without a cache."),
    ("foreign-artifact", "high", _M, "CWE-829 CWE-345 CICD-SEC-4", "A privileged workflow takes files from another run", "The other run may have been started by a stranger's pull request: its files are theirs. Unpacked over the working tree, or run, they are code with this workflow's secrets.", "Unpack into $RUNNER_TEMP, treat all in it as data, check what kind it is, never run it."),
    ("unsecure-commands", "high", _H, "CWE-78 CICD-SEC-4", "Output of programs may set the environment", "ACTIONS_ALLOW_UNSECURE_COMMANDS lets any line that a program prints set variables and PATH of later steps.", "Remove it; write to $GITHUB_ENV and $GITHUB_PATH."),
    ("environment-write", "high", _M, "CWE-78 CICD-SEC-4", "Text of strangers is written to the environment of later steps", "A line break in it sets further variables, such as LD_PRELOAD or NODE_OPTIONS, and so runs code.", "Write fixed values, or pass it as a step's output and quote it where it is used."),
    ("persisted-credentials", "low", _M, "CWE-522 CICD-SEC-6", "The checkout leaves its token in the working tree", "actions/checkout writes the token to .git/config, where every later step and every upload of the folder can take it.", "`with: {persist-credentials: false}`, unless later steps push."),
    ("uploaded-credentials", "high", _M, "CWE-522 CWE-538 CICD-SEC-6", "The working tree is uploaded with the checkout's token in it", "The artifact holds .git/config with a token that is valid while the job runs; in a public repository all can fetch it.", "`with: {persist-credentials: false}` for the checkout, and upload only what is needed."),
    ("dangerous-trigger", "low", _M, "CWE-829 CICD-SEC-4", "Strangers can start a workflow that has secrets", "pull_request_target and workflow_run run with this repository's secrets and a token that may write, whoever opened the pull request.", "Use `pull_request`. Where it must be, run nothing of the pull request, and give the token no rights that are not needed."),
    ("constant-condition", "medium", _H, "CWE-863 CICD-SEC-1", "A condition is always true", "Text around ${{ }} makes the whole a text that is not empty: the step or job that it should guard always runs.", "Write one expression: `if: github.ref == 'refs/heads/main'`, without ${{ }} and without line breaks after it."),
    ("spoofable-actor", "medium", _M, "CWE-290 CICD-SEC-1", "A condition trusts a name that others can have", "github.actor is who started this run, not who wrote the code: a stranger can have a bot's name there, by making the bot act on their pull request.", "Ask for the author: github.event.pull_request.user.login == 'dependabot[bot]'."),
    ("substring-condition", "medium", _M, "CWE-863 CICD-SEC-1", "A condition looks for a name inside of a text", "contains('refs/heads/main refs/heads/dev', github.ref) is also true for a branch such as `mai`, which anybody can make.", "Ask for equality, or contains(fromJSON('[\"refs/heads/main\"]'), github.ref)."),
    ("plain-http", "medium", _H, "CWE-319 CWE-494 CICD-SEC-3", "A script fetches over a connection that is not protected", "Anybody on the way can exchange what is fetched.", "Use https, and verify certificates."),
)  # fmt: skip

RULES = MappingProxyType({row[0]: rule(f"actions-{row[0]}", *row[1:]) for row in _TABLE})

# Known-bad versions: action -> (first bad, first good) of its tags, and the id. Sources: GitHub's advisory database.
COMPROMISED = (
    ("tj-actions/changed-files", "0", "46.0.1", "CVE-2025-30066, all tags before March 2025 were pointed at an attack"),
    ("tj-actions/branch-names", "0", "8.2.1", "CVE-2025-54416, branch names become commands"),
    ("reviewdog/action-setup", "1", "1.3.2", "CVE-2025-30154, the tag v1 was pointed at an attack"),
    ("actions/download-artifact", "4.0.0", "4.1.3", "CVE-2024-42471, an artifact can write outside of its folder"),
    ("rlespinasse/github-slug-action", "4.0.0", "4.4.1", "CVE-2023-27581, branch names become commands"),
    ("gradle/gradle-build-action", "0", "2.4.2", "CVE-2023-30853, secrets end up in the cache"),
    ("actions/runner", "0", "2.296.2", "CVE-2022-39321, environment of containers becomes commands"),
    ("hashicorp/vault-action", "0", "2.2.0", "CVE-2021-32074, secrets of several lines are not masked"),
)
