"""What can be wrong with a pipeline of GitLab, or of Jenkins: one rule, one row."""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

from types import MappingProxyType

from shipworthy.checks.workflows._actions_rules import rule
from shipworthy.model import Confidence

_H, _M, _L = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

_GITLAB = (
    ("remote-include", "high", _H, "CWE-829 CWE-494 CICD-SEC-4 CICD-SEC-3", "The pipeline includes a file from a server", "Whoever controls the server writes this project's pipeline, and gets its variables.", "Copy the file into a project of yours and include it from there by its commit; or give `integrity: sha256-...`."),
    ("unpinned-include", "medium", _H, "CWE-829 CICD-SEC-3", "The pipeline includes a file of another project that can change", "A branch can be moved: whoever may push there writes this project's pipeline.", "`include: {project: group/name, ref: <40 hex digits>, file: /x.yml}`; for components a full version or commit."),
    ("script-injection", "high", _M, "CWE-78 CICD-SEC-4", "A variable that others write becomes part of a command", "Titles, branch names and messages are put into the command before it is parsed by eval, a nested shell or a generated script: `$(curl ...)` in one runs as code.", "Never eval them or put them into `sh -c`; quote them: \"$CI_COMMIT_TITLE\"."),
    ("unquoted-variable", "low", _L, "CWE-78 CICD-SEC-4", "A variable that others write stands without quotes", "Its words become arguments, and * becomes names of files: a branch called `--upload-pack=...` is an option.", "Quote it and end the options first: git checkout -- \"$CI_COMMIT_REF_NAME\"."),
    ("privileged-service", "medium", _M, "CWE-250 CICD-SEC-7", "A job needs a privileged runner", "Docker in Docker needs a container with its host's rights: code in the job can take over the runner.", "Build with buildah, kaniko or BuildKit rootless; or keep that runner for protected branches only."),
    ("allowed-to-fail", "medium", _M, "CWE-693 CICD-SEC-1", "A security job may fail", "The pipeline goes on whatever the job finds, and also when it does not run at all.", "Remove `allow_failure`, and accept single findings with a reason."),
    ("debug-trace", "high", _H, "CWE-532 CICD-SEC-6", "Debug logging prints all variables", "CI_DEBUG_TRACE writes every variable, also secrets, into the job's log.", "Remove it."),
    ("wide-artifact", "medium", _M, "CWE-538 CICD-SEC-6", "A job publishes files that can hold secrets", "Artifacts can be fetched by everybody who can see the pipeline: .env files, keys and .git/config hold credentials.", "List what is needed; set `artifacts: {access: developer}`."),
    ("plain-git", "medium", _M, "CWE-295 CICD-SEC-3", "Certificates are not verified", "Anybody on the way can exchange what is fetched.", "Remove GIT_SSL_NO_VERIFY and its like, and give the runner the right certificates."),
    ("inherited-token", "low", _M, "CWE-522 CICD-SEC-6", "The job's token is handed to a command in the clear", "In a URL or an argument it ends up in logs and in the list of processes.", "Use a credential helper or --password-stdin."),
)  # fmt: skip
_JENKINS = (
    ("groovy-injection", "high", _M, "CWE-78 CWE-94 CICD-SEC-4", "A value that others write is pasted into a command by Groovy", "In double quotes Groovy puts the value into the command before the shell reads it: `; curl ...` in a parameter or branch name runs as code on the agent.", "Use single quotes, so that the shell reads it from its environment: sh 'deploy \"$PLACE\"'."),
    ("groovy-secret", "medium", _H, "CWE-532 CWE-522 CICD-SEC-6", "A credential is pasted into a command by Groovy", "It ends up in the list of processes and, when it is changed by quoting, unmasked in the log.", "Use single quotes: sh 'curl -H \"Authorization: $TOKEN\" ...'."),
    ("any-agent", "low", _M, "CWE-250 CICD-SEC-7", "The pipeline runs on any agent", "That may be the controller, which holds all credentials, or a machine with the rights of another project.", "Name a label whose agents are single-use: agent { label 'docker-small' }."),
    ("unpinned-library", "medium", _M, "CWE-829 CICD-SEC-3", "A shared library is used in a version that can change", "Its code runs with the pipeline's rights, and may run unsandboxed.", "Name a commit or a tag that nobody can move: @Library('name@<commit>')."),
    ("code-from-text", "high", _M, "CWE-94 CWE-95 CICD-SEC-4", "Code is made from text while the pipeline runs", "evaluate, load of a fetched file and GroovyShell run what is in the text, with the rights of the pipeline.", "Put the code into a shared library that is reviewed and pinned."),
    ("sandbox-escape", "high", _M, "CWE-693 CWE-269 CICD-SEC-7", "The pipeline reaches into the controller", "Jenkins.instance, @Grab and the like work only outside of the sandbox, where the pipeline can read every credential.", "Do it in the controller's configuration; keep the sandbox on."),
    ("no-verification", "medium", _M, "CWE-295 CICD-SEC-3", "Certificates are not verified", "Anybody on the way can exchange what is fetched.", "Remove ignoreSslErrors, validResponseCodes for it and the like; give the agent the right certificates."),
)  # fmt: skip
GITLAB_RULES = MappingProxyType({row[0]: rule(f"gitlab-{row[0]}", *row[1:]) for row in _GITLAB})
JENKINS_RULES = MappingProxyType({row[0]: rule(f"jenkins-{row[0]}", *row[1:]) for row in _JENKINS})
