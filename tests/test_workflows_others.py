"""Pipelines of GitLab and Jenkins: each rule sees its bad sample at its line, and is silent on the mended one."""

# ruff: noqa: E501  (a table of files)

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.artifacts.classify import classify
from shipworthy.check import registry
from shipworthy.checks.workflows import _groovy
from shipworthy.config import Load
from shipworthy.model import Kind, Skipped
from workflow_runs import found, results

SHA, DIGEST = "a" * 40, "sha256:" + "a" * 64
# rule, the bad file, the line that is named, the good file
GITLAB = {
    "remote-include": ("include:\n  - remote: https://x.org/a.yml\n", 2, "include:\n  - local: a.yml\n"),
    "remote-include#plain": ("include: https://x.org/a.yml\n", 1, "include: /a.yml\n"),
    "unpinned-include": (
        "include:\n  - project: g/p\n    ref: main\n    file: a.yml\n", 2,
        f"include:\n  - project: g/p\n    ref: {SHA}\n    file: a.yml\n"),
    "unpinned-include#component": ("include:\n  - component: x.org/g/p/c@~latest\n", 2, "include:\n  - component: x.org/g/p/c@1.2.3\n"),
    "script-injection": (
        "a:\n  script:\n    - make\n    - bash -c \"echo $CI_COMMIT_TITLE\"\n", 4, "a:\n  script:\n    - echo \"$CI_COMMIT_TITLE\"\n"),
    "unquoted-variable": (
        "a:\n  script:\n    - git checkout $CI_COMMIT_REF_NAME\n", 3,
        "a:\n  script:\n    - git checkout -- \"$CI_COMMIT_REF_NAME\"\n    - '[[ $CI_COMMIT_TAG = v1 ]]'\n    - B=$CI_COMMIT_BRANCH\n"),
    "privileged-service": (
        f"a:\n  services:\n    - docker:27-dind@{DIGEST}\n  script: [x]\n", 3, f"a:\n  services: [redis@{DIGEST}]\n  script: [x]\n"),
    "allowed-to-fail": ("sast-job:\n  script: [x]\n  allow_failure: true\n", 3, "lint:\n  script: [x]\n  allow_failure: true\n"),
    "debug-trace": ("variables:\n  CI_DEBUG_TRACE: 'true'\n", 2, "variables:\n  CI_DEBUG_TRACE: 'false'\n"),
    "wide-artifact": (
        "a:\n  script: [x]\n  artifacts:\n    paths:\n      - dist\n      - .env\n", 6, "a:\n  script: [x]\n  artifacts:\n    paths: [dist]\n"),
    "wide-artifact#untracked": (
        "a:\n  script: [x]\n  artifacts:\n    untracked: true\n", 4, "a:\n  script: [x]\n  artifacts:\n    untracked: false\n"),
    "plain-git": ("variables: {GIT_SSL_NO_VERIFY: 'true'}\n", 1, "variables: {GIT_SSL_NO_VERIFY: 'false'}\n"),
    "plain-git#curl": ("a:\n  script: curl -k https://x.org/a\n", 2, "a:\n  script: curl https://x.org/a\n"),
    "inherited-token": (
        "a:\n  script:\n    - git clone https://u:${CI_JOB_TOKEN}@x.org/a\n", 3,
        "a:\n  script:\n    - echo \"$CI_JOB_TOKEN\" | docker login --password-stdin\n"),
    "ci-download-and-run": ("a:\n  script:\n    - curl x.org/i | sh\n", 3, "a:\n  script:\n    - curl -O https://x.org/i\n"),
    "ci-hard-coded-credential": ("variables:\n  DB_PASSWORD: hunter2secret\n", 2, "variables:\n  DB_PASSWORD: $VAULTED\n"),
    "ci-unpinned-image": ("image: python:3.13\n", 1, f"image: python@{DIGEST}\n"),
    "ci-privileged-container": ("a:\n  script: docker run --privileged x\n", 2, "a:\n  script: docker run x\n"),
}  # fmt: skip
HEAD = "pipeline {\n  agent { label 'x' }\n"
JENKINS = {
    "groovy-injection": (HEAD + 'sh "deploy ${params.PLACE}"\n}', 3, HEAD + "sh 'deploy \"$PLACE\"'\n}"),
    "groovy-injection#plain": (HEAD + 'sh(script: """\nx\n $BRANCH_NAME""")\n}', 3, HEAD + 'sh(script: """\nx\n ${BUILD_NUMBER}""")\n}'),
    "groovy-injection#env": (HEAD + 'sh "git checkout ${env.CHANGE_BRANCH}"', 3, HEAD + 'echo "git checkout ${env.CHANGE_BRANCH}"'),
    "groovy-secret": (
        HEAD + "environment { TOKEN = credentials('t') }\nsh \"curl -u $TOKEN https://x.org\"\n", 4,
        HEAD + "environment { TOKEN = credentials('t') }\nsh 'curl -u $TOKEN https://x.org'\n"),
    "groovy-secret#with": (
        HEAD + "withCredentials([string(credentialsId: 'a', variable: 'KEY')]) {\n  sh \"x ${KEY}\"\n}", 4,
        HEAD + "withCredentials([string(credentialsId: 'a', variable: 'KEY')]) {\n  sh 'x $KEY'\n}"),
    "any-agent": ("pipeline {\n  agent any\n}", 2, "pipeline {\n  // agent any\n  agent none\n}"),
    "unpinned-library": ("@Library('common@main') _\n", 1, f"@Library('common@{SHA}') _\n"),
    "unpinned-library#step": ("library 'common'\n", 1, "library 'common@v1.2.3'\n"),
    "code-from-text": ("evaluate(readFile('a.groovy'))\n", 1, "evaluate('1 + 1')\n"),
    "sandbox-escape": ("def j = Jenkins.instance.nodes\n", 1, "def j = 'Jenkins.instance'\n"),
    "sandbox-escape#grab": ("@Grab('g:a:1')\nimport a\n", 1, "/* @Grab('g:a:1') */\nimport a\n"),
    "no-verification": ("httpRequest url: 'https://x.org', ignoreSslErrors: true\n", 1, "httpRequest url: 'https://x.org'\n"),
    "ci-download-and-run": ("sh '''\nmake\ncurl -s https://x.org/i | bash\n'''\n", 3, "sh 'make'\n"),
    "ci-privileged-container": ("agent { docker { image 'a@sha256:b'\n args '--privileged' } }\n", 2, "agent { docker { image 'a@sha256:b' } }\n"),
    "ci-hard-coded-credential": ("def dbPassword = 1\nAPI_TOKEN = 'abcdef123456'\n", 2, "API_TOKEN = credentials('id')\n"),
    "ci-unpinned-image": ("agent { docker { image 'node:22' } }\n", 1, f"agent {{ docker {{ image 'node@{DIGEST}' }} }}\n"),
}  # fmt: skip
ALL = [(c, n, *s) for c, t in (("gitlab-ci", GITLAB), ("jenkinsfile", JENKINS)) for n, s in t.items()]
NAMES = {"gitlab-ci": ".gitlab-ci.yml", "jenkinsfile": "Jenkinsfile"}
PREFIX = {"gitlab-ci": "gitlab-", "jenkinsfile": "jenkins-"}


@pytest.mark.parametrize(("check", "name", "bad", "line", "good"), ALL, ids=[f"{a[0]}-{a[1]}" for a in ALL])
def test_a_rule_sees_its_sample_and_not_the_mended_one(tmp_path, check, name, bad, line, good):
    plain = name.partition("#")[0]
    rule = plain if plain.startswith("ci-") else PREFIX[check] + plain
    assert line in found(tmp_path, check, bad, NAMES[check]).get(rule, [])
    assert rule not in found(tmp_path, check, good, NAMES[check])


@pytest.mark.parametrize(("check", "samples"), [("gitlab-ci", GITLAB), ("jenkinsfile", JENKINS)])
def test_every_rule_has_a_sample(check, samples):
    wanted = {rule.id.removeprefix(PREFIX[check]) for rule in registry()[check].rules}
    assert {name.partition("#")[0] for name in samples} == wanted


@pytest.mark.parametrize(
    "uri", ["Jenkinsfile", "ci/Jenkinsfile.release", "a.jenkinsfile", ".gitlab/ci/a/b.yml", "x.gitlab-ci.yml"]
)
def test_they_are_workflows_wherever_they_lie(uri):
    assert classify(uri, b"a: b\n", lambda _: None, Load())[0] is Kind.WORKFLOW


@pytest.mark.parametrize(
    ("check", "text", "reason"),
    [("gitlab-ci", "a: [", "not YAML"), ("gitlab-ci", "- a", "no mapping"), ("gitlab-ci", b"\xff", "UTF-8"),
     ("jenkinsfile", b"\xff", "UTF-8")],
)  # fmt: skip
def test_what_cannot_be_read_is_said(tmp_path, check, text, reason):
    (skipped,) = results(tmp_path, check, text, NAMES[check])
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def test_references_and_anchors_of_gitlab(tmp_path):
    text = ".base: &b\n  script:\n    - curl x.org/i | sh\na:\n  <<: *b\nc:\n  script:\n    - !reference [a, script]\n    - [make, [x]]\n"
    assert found(tmp_path, "gitlab-ci", text, ".gitlab-ci.yml") == {"ci-download-and-run": [3, 3]}


_PARTS = st.sampled_from(
    [
        "sh ",
        '"',
        "'",
        '"""',
        "'''",
        "${",
        "}",
        "{",
        "$",
        "/",
        "$/",
        "/$",
        "//",
        "/*",
        "*/",
        "\n",
        "params.a",
        "\\",
        "@Library",
        "(",
        ")",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(_PARTS | st.text(max_size=4), max_size=40).map("".join))
def test_groovy_of_any_text_gives_tokens_in_order(tmp_path, text):
    lines = [token.line for token in _groovy.tokens(text)]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
    results(tmp_path, "jenkinsfile", text, "Jenkinsfile")


def test_groovy_texts():
    given_ = [
        (t.kind, t.value, t.pasted)
        for t in _groovy.tokens("a = \"x${b['}']}y $c.d\" / 2 =~ /s${q}l/ // no\n'$n'")
        if t.value != "\n"
    ]
    assert given_[2] == ("text", "x${b['}']}y $c.d", ("b['", "c.d"))
    assert ("text", "s${q}l", ("q",)) in given_
    assert given_[-1] == ("text", "$n", ())
