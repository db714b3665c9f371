"""Workflows of GitHub: each rule sees its bad sample at its line, and is silent on the mended one."""

# ruff: noqa: E501  (a table of files)

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.artifacts.classify import classify
from shipworthy.check import registry
from shipworthy.checks.workflows import _expressions, _shell
from shipworthy.config import Load
from shipworthy.model import Kind, Severity, Skipped
from workflow_runs import found, results

NAME = ".github/workflows/ci.yml"
SHA = "3d3c42e5aac5ba805825da76410c181273ba90b1"
CHECKOUT = f"uses: actions/checkout@{SHA}\n    with: {{persist-credentials: false}}"


def workflow(steps: str, on: str = "push", job: str = "", top: str = "") -> str:
    """A workflow that is clean but for what is given."""
    head = f"on: {on}\npermissions: {{contents: read}}\n{top}jobs:\n  build:\n    runs-on: ubuntu-24.04\n"
    return head + textwrap.indent(job, "    ") + "    steps:\n" + textwrap.indent(steps, "      ")


# rule, the bad file, the line that is named, the good file
SAMPLES = {
    "untrusted-checkout": (
        workflow(f"- uses: actions/checkout@{SHA}\n  with:\n    persist-credentials: false\n"
                 "    ref: ${{ github.event.pull_request.head.sha }}\n- run: make\n", "pull_request_target"),
        10,
        workflow(f"- uses: actions/checkout@{SHA}\n  with:\n    persist-credentials: false\n"
                 "    ref: ${{ github.event.pull_request.head.sha }}\n- run: make\n", "pull_request"),
    ),
    "untrusted-checkout#gh": (
        workflow("- run: |\n    echo a\n    gh pr checkout $NUMBER\n    make\n", "issue_comment"),
        9,
        workflow("- run: |\n    echo a\n    gh pr view $NUMBER\n    make\n", "issue_comment"),
    ),
    "script-injection": (
        workflow("- run: |\n    echo\n    echo '${{ github.event.issue.title }}'\n", "issues"),
        9,
        workflow('- run: |\n    echo\n    echo "$TITLE"\n  env: {TITLE: "${{ github.event.issue.title }}"}\n', "issues"),
    ),
    "script-injection#script": (
        workflow(f"- uses: actions/github-script@{SHA}\n  with:\n    script: return '${{{{ github.head_ref }}}}'\n"),
        9,
        workflow(f"- uses: actions/github-script@{SHA}\n  with:\n    script: return context.ref\n"),
    ),
    "script-injection#variable": (
        workflow("- run: echo ${{ env.TITLE }}\n", "issues", top='env: {TITLE: "${{ github.event.issue.title }}"}\n'),
        8,
        workflow("- run: echo ${{ github.event.issue.number }}\n", "issues"),
    ),
    "script-injection#compared": (
        workflow("- run: echo ${{ github.event.issue['title'] || 'none' }}\n", "issues"),
        7,
        workflow("- run: echo ${{ contains(github.event.issue.title, 'x') }} ${{ github.head_ref == 'main' }}\n"),
    ),
    "input-injection": (
        workflow("- run: deploy ${{ inputs.place }}\n", "workflow_dispatch"),
        7,
        workflow('- run: deploy "$PLACE"\n  env: {PLACE: "${{ inputs.place }}"}\n', "workflow_dispatch"),
    ),
    "unpinned-action": (workflow("- uses: owner/action@v1\n"), 7, workflow(f"- uses: owner/action@{SHA} # v1\n")),
    "unpinned-action#called": (
        "on: push\npermissions: {}\njobs:\n  a:\n    uses: owner/repo/.github/workflows/x.yml@main\n", 5,
        "on: push\npermissions: {}\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n",
    ),
    "compromised-action": (
        workflow("- uses: tj-actions/changed-files@v45\n"), 7, workflow("- uses: tj-actions/changed-files@v46\n")),
    "no-permissions": (
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps: []\n", 2,
        "on: push\njobs:\n  a:\n    permissions: {}\n    runs-on: x\n    steps: []\n",
    ),
    "wide-permissions": (
        "on: push\npermissions: write-all\njobs: {a: {runs-on: x}}\n", 2,
        "on: push\npermissions: read-all\njobs: {a: {runs-on: x}}\n"),
    "wide-permissions#top": (
        "on: push\npermissions:\n  contents: write\njobs: {a: {runs-on: x}, b: {runs-on: x}}\n", 3,
        "on: push\npermissions:\n  contents: write\njobs: {a: {runs-on: x}}\n"),
    "secrets-inherit": (
        f"on: push\npermissions: {{}}\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@{SHA}\n    secrets: inherit\n", 6,
        f"on: push\npermissions: {{}}\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@{SHA}\n    secrets: {{A: b}}\n"),
    "all-secrets": (
        workflow("- run: echo\n  env: {ALL: '${{ toJSON(secrets) }}'}\n"), 8,
        workflow("- run: echo\n  env: {ONE: '${{ secrets.ONE }}'}\n")),
    "all-secrets#named": (
        workflow("- run: echo\n  env: {ALL: '${{ secrets[matrix.name] }}'}\n"), 8,
        workflow("- run: echo\n  env:\n    ONE: ${{ secrets['ONE'] }}\n")),
    "wide-secret": (
        workflow("- run: echo\n", job='env:\n  A: "${{ secrets.A }}"\n'), 7,
        workflow("- run: echo\n", job='env:\n  A: "${{ secrets.GITHUB_TOKEN }}"\n')),
    "secret-in-script": (workflow("- run: login ${{ secrets.A }}\n"), 7, workflow("- run: login $A\n")),
    "self-hosted-runner": (
        "on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n", 5,
        "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n"),
    "cache-poisoning": (
        workflow(f"- uses: actions/cache@{SHA}\n- run: npm publish\n"), 7,
        workflow(f"- uses: actions/cache@{SHA}\n- run: npm test\n")),
    "cache-poisoning#setup": (
        workflow(f"- uses: actions/setup-node@{SHA}\n  with: {{cache: npm}}\n", "release"), 7,
        workflow(f"- uses: actions/setup-node@{SHA}\n  with: {{node-version: 22}}\n", "release")),
    "foreign-artifact": (
        workflow(f"- uses: actions/download-artifact@{SHA}\n  with: {{run-id: '${{{{ github.event.workflow_run.id }}}}'}}\n",
                 "workflow_run"), 7,
        workflow(f"- uses: actions/download-artifact@{SHA}\n", "workflow_run")),
    "unsecure-commands": (
        workflow("- run: echo\n  env:\n    ACTIONS_ALLOW_UNSECURE_COMMANDS: true\n"), 9,
        workflow("- run: echo\n  env:\n    ACTIONS_ALLOW_UNSECURE_COMMANDS: false\n")),
    "environment-write": (
        workflow('- run: echo "T=$TITLE" >> "$GITHUB_ENV"\n  env: {TITLE: "${{ github.head_ref }}"}\n', "pull_request_target"), 7,
        workflow('- run: echo "T=1" >> "$GITHUB_ENV"\n  env: {TITLE: "${{ github.head_ref }}"}\n', "pull_request_target")),
    "persisted-credentials": (workflow(f"- uses: actions/checkout@{SHA}\n"), 7, workflow(f"- {CHECKOUT}\n".replace("    with", "  with"))),
    "uploaded-credentials": (
        workflow(f"- uses: actions/checkout@{SHA}\n- uses: actions/upload-artifact@v3\n  with: {{path: .}}\n"), 8,
        workflow(f"- uses: actions/checkout@{SHA}\n- uses: actions/upload-artifact@v3\n  with: {{path: dist}}\n")),
    "dangerous-trigger": (workflow("- run: echo\n", "[push, workflow_run]"), 1, workflow("- run: echo\n")),
    "constant-condition": (
        workflow("- run: echo\n  if: ${{ github.ref == 'x' }} && true\n"), 8,
        workflow("- run: echo\n  if: ${{ github.ref == 'x' }}\n")),
    "constant-condition#block": (
        workflow("- run: echo\n  if: |\n    ${{ github.ref == 'x' }}\n"), 8,
        workflow("- run: echo\n  if: |\n    github.ref == 'x'\n")),
    "spoofable-actor": (
        workflow("- run: echo\n  if: github.actor == 'dependabot[bot]'\n", "pull_request_target"), 8,
        workflow("- run: echo\n  if: github.event.pull_request.user.login == 'dependabot[bot]'\n", "pull_request_target")),
    "substring-condition": (
        workflow("- run: echo\n  if: contains('refs/heads/main refs/heads/dev', github.ref)\n"), 8,
        workflow("- run: echo\n  if: contains(github.ref, 'refs/heads/main')\n")),
    "plain-http": (workflow("- run: curl -O http://x.org/a\n"), 7, workflow("- run: curl -O http://localhost:80/a\n")),
    "ci-download-and-run": (
        workflow("- run: |\n    curl -fsSL https://x.org/i.sh \\\n      | sudo -E bash -s -- -y\n"), 8,
        workflow("- run: |\n    curl -fsSLO https://x.org/i.sh\n    sha256sum -c sums\n")),
    "ci-privileged-container": (
        workflow("- run: docker run --rm --privileged x\n"), 7, workflow("- run: docker run --rm x\n")),
    "ci-privileged-container#options": (
        workflow("- run: a\n", job=f"container:\n  image: x@sha256:{'a' * 64}\n  options: --privileged\n"), 7,
        workflow("- run: a\n", job=f"container:\n  image: x@sha256:{'a' * 64}\n  options: --cpus 1\n")),
    "ci-unpinned-image": (
        workflow("- run: a\n", job="container: node:22\n"), 6,
        workflow("- run: a\n", job=f"container: node:22@sha256:{'a' * 64}\n")),
    "ci-hard-coded-credential": (
        workflow("- run: a\n  env:\n    DB_PASSWORD: s3cr3t-Pa55word\n"), 9,
        workflow("- run: a\n  env:\n    DB_PASSWORD: ${{ secrets.DB }}\n")),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_rule_sees_its_sample_and_not_the_mended_one(tmp_path, name):
    bad, line, good = SAMPLES[name]
    plain = name.partition("#")[0]
    rule = plain if plain.startswith("ci-") else f"actions-{plain}"
    assert line in found(tmp_path, "github-actions", bad, NAME).get(rule, [])
    assert rule not in found(tmp_path, "github-actions", good, NAME)


def test_every_rule_has_a_sample():
    wanted = {rule.id.removeprefix("actions-") for rule in registry()["github-actions"].rules}
    assert {name.partition("#")[0] for name in SAMPLES} == wanted


def test_no_secret_is_told(tmp_path):
    bad = SAMPLES["ci-hard-coded-credential"][0]
    assert "s3cr3t" not in repr(results(tmp_path, "github-actions", bad, NAME))


def test_the_worst_is_what_strangers_start(tmp_path):
    steps = "- run: echo ${{ github.event.pull_request.title }}\n"
    severities = {}
    for on in ("pull_request", "pull_request_target"):
        for one in results(tmp_path, "github-actions", workflow(steps, on), NAME):
            if one.rule.id == "actions-script-injection":
                severities[on] = one.severity
    assert severities == {"pull_request": Severity.HIGH, "pull_request_target": Severity.CRITICAL}


def test_a_composite_action(tmp_path):
    text = "name: a\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.name }}\n      shell: bash\n"
    assert found(tmp_path, "github-actions", text, "action.yml") == {"actions-input-injection": [5]}
    assert classify("sub/action.yml", text.encode(), lambda _: None, Load())[0] is Kind.WORKFLOW
    assert classify("sub/action.yml", b"name: x\n", lambda _: None, Load())[0] is Kind.TEXT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "is not YAML"),
        ("- a\n", "is no mapping"),
        ("a: 1\n---\nb: 1\n", "several documents"),
        ("a: 1\n", "no workflow"),
        ("[" * 500, "too deep"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n"
                                                for i in range(9)), "values"),
        ("a: &a [*a]\n", "an alias"),
        (b"a: \xff\n", "not UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(tmp_path, text, reason):
    (skipped,) = results(tmp_path, "github-actions", text, NAME)
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


_WORDS = st.sampled_from(
    ["on", "jobs", "steps", "run", "uses", "with", "env", "if", "permissions", "secrets", "${{", "}}", "github.event", ":", "- ",
     "\n", "  ", "[", "]", "{", "}", "*a", "&a ", "|", "pull_request_target", "'", '"', "container", "<<: "]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_WORDS | st.text(max_size=5), max_size=40).map("".join))
def test_any_text_gives_findings_or_a_reason(tmp_path, text):
    results(tmp_path, "github-actions", text, NAME)


_LEAVES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        _LEAVES, lambda v: st.lists(v, min_size=1, max_size=3) | st.dictionaries(_LEAVES, v, min_size=1, max_size=3)
    )
)
def test_yaml_is_read_as_the_reference_reads_it(value):
    import yaml

    from shipworthy.checks._yaml import read_texts

    text = yaml.safe_dump(value, default_style='"')
    assert read_texts(text) == ([] if value == "" else [value])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("? a\n: b\n", {"a": "b"}),
        ('? "a: b"\n: c: 1\n  d: 2\n', {"a: b": {"c": "1", "d": "2"}}),
        ("x:\n- ? a\n  : b\n- c\n", {"x": [{"a": "b"}, "c"]}),
        ("a: |\n  ? x\n  : y\n", {"a": "? x\n: y\n"}),
        ("on: 1.10\nno: ~\n", {"on": "1.10", "no": "~"}),
        ("a: 1\na: 2\n", {"a": "2"}),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: on\n", {"a": {"b": "1"}, "c": {"b": "1", "d": "on"}}),
        ("a:\nb: {c, d: }\n", {"a": "", "b": {"c": "", "d": ""}}),
        ("? " + "k" * 5000 + "\n: v\n", {"k" * 5000: "v"}),
    ],
)
def test_scalars_stay_as_they_are_written(text, value):
    from shipworthy.checks._yaml import read_texts

    assert read_texts(text) == [value]


def test_tags_and_places_are_kept():
    from shipworthy.checks._yaml import read_texts

    (one,) = read_texts("a: !reference [b, c]\nd: |\n  x\n  y\ne: 'q'\n")
    assert (one["a"].tag, one["a"].line, one["a"][1].line) == ("!reference", 1, 1)
    assert (one["d"].block, one["d"].line, one["d"].line_at(2)) == (True, 2, 4)
    assert (one["e"].plain, one.at("e")) == (False, 5)


@settings(max_examples=200, deadline=None)
@given(st.text("ab.'[]()*=!<>&|{}$ \"", max_size=80))
def test_expressions_of_any_text(text):
    for one in _expressions.expressions(text):
        assert text.startswith("${{", one.position)
    list(_shell.lines(text))


@pytest.mark.parametrize("line", ["curl x | " * 3000, "docker run " * 3000, "sh $(" * 3000, "wget " + "x " * 20000])
def test_long_lines_end(line):
    for _, one in _shell.lines(line):
        _shell.fetched_and_run(one)
        _shell.privileged(one)
        _shell.unprotected(one)
