"""Dockerfiles: each rule with what breaks it and what does not, the reader's limits, and a file of a real project."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.checks.infrastructure._dockerfile import parse
from shipworthy.checks.infrastructure._shell import pipelines
from shipworthy.checks.infrastructure.dockerfile import RULES, judge, scan
from shipworthy.model import Finding, Skipped

PIN = "@sha256:" + "a" * 64
HEAD = f"FROM debian:12{PIN}\n"


def rules_of(text: str, ignores: bool = True) -> set[str]:
    return {hit.rule.id for hit in judge(parse(text), ignores)}


# rule -> what breaks it, and what does the same without breaking it
SAMPLES: dict[str, tuple[str, str]] = {
    "dockerfile-root-user": (HEAD + "USER 10001\nUSER root\n", HEAD + "USER root\nRUN id\nUSER 10001:10001\n"),
    "dockerfile-base-latest": ("FROM debian\n", "FROM debian:12\n"),
    "dockerfile-base-unpinned": ("ARG V=12\nFROM debian:${V}-slim\n", f"ARG V=12{PIN}\nFROM debian:${{V}}\n"),
    "dockerfile-add-url": (
        HEAD + "ADD https://example.org/a.bin /a\n",
        HEAD + f"ADD --checksum=sha256:{'a' * 64} https://example.org/a.bin /a\n",
    ),
    "dockerfile-add-local": (HEAD + "ADD app.py /app/\n", HEAD + "ADD rootfs.tar.xz /\nCOPY app.py /app/\n"),
    "dockerfile-pipe-to-shell": (
        HEAD + "RUN set -e; \\\n  # the installer\n  curl -fsSL https://example.org/i.sh \\\n | bash -s -- --yes\n",
        HEAD + "RUN curl -fsSL https://example.org/i.json | python -m json.tool\n",
    ),
    "dockerfile-download-unverified": (
        HEAD + "RUN curl -fsSLo /usr/bin/t https://example.org/t && chmod +x /usr/bin/t\n",
        HEAD + "RUN curl -fsSLo t https://example.org/t && echo 'abc  t' | sha256sum -c && chmod +x t\n",
    ),
    "dockerfile-plain-http": (
        HEAD + "RUN wget http://example.org/data.csv\n",
        HEAD + "RUN wget https://example.org/data.csv && curl http://localhost:8080/\n",
    ),
    "dockerfile-verification-off": (
        HEAD + "RUN curl -fsSLk https://example.org/x -o x\n",
        HEAD + "RUN curl -fsSL https://example.org/kk -o k\n",
    ),
    "dockerfile-secret-value": (
        HEAD + "ENV PORT=80 DB_PASSWORD='kT7#qLm29xWz'\n",
        HEAD + "ENV DB_PASSWORD_FILE=/run/secrets/db TOKEN=${TOKEN} PORT=80\n",
    ),
    "dockerfile-secret-argument": (HEAD + "ARG NPM_TOKEN\n", HEAD + "ARG VERSION=1\n"),
    "dockerfile-secret-copied": (
        HEAD + 'COPY ["deploy/id_rsa", "/root/.ssh/"]\n',
        HEAD + "COPY .env.example deploy/id_rsa.pub /app/\n",
    ),
    "dockerfile-secret-mount-kept": (
        HEAD + "RUN --mount=type=secret,id=npm,target=/root/.npmrc cp /root/.npmrc /app/.npmrc\n",
        HEAD + "RUN --mount=type=secret,id=npm,target=/root/.npmrc npm ci\n",
    ),
    "dockerfile-password-set": (HEAD + "RUN echo 'root:hunter2' | chpasswd\n", HEAD + "RUN useradd --uid 10001 app\n"),
    "dockerfile-copy-all": (HEAD + "COPY . /app\n", HEAD + "COPY src /app/src\n"),
    "dockerfile-sudo": (HEAD + "RUN sudo make install\n", HEAD + "RUN make install # no sudo\n"),
    "dockerfile-sudo-without-password": (
        HEAD + "RUN echo 'app ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/app\n",
        HEAD + "RUN echo 'hello' > /etc/motd\n",
    ),
    "dockerfile-world-writable": (
        HEAD + "RUN mkdir /d && chmod -R 0777 /d\n",
        HEAD + "RUN chmod 1777 /tmp && chmod 755 /d\n",
    ),
    "dockerfile-setuid": (HEAD + "RUN chmod u+s /usr/bin/tool\n", HEAD + "RUN chmod u-s,g-s /usr/bin/tool\n"),
    "dockerfile-remote-login": (HEAD + "EXPOSE 80 20-25/tcp\n", HEAD + "EXPOSE 80 8443/tcp\n"),
    "dockerfile-debug-port": (HEAD + "EXPOSE 5678\n", HEAD + "EXPOSE 5679\n"),
    "dockerfile-privileged-step": (HEAD + "RUN --security=insecure make\n", HEAD + "RUN --network=none make\n"),
    "dockerfile-runtime-socket": (HEAD + 'VOLUME ["/var/run/docker.sock"]\n', HEAD + 'VOLUME ["/data"]\n'),
    "dockerfile-frontend": ("# syntax=someone/else:1\n" + HEAD, "# syntax=docker/dockerfile:1.7\n" + HEAD),
    "dockerfile-packages-unpinned": (
        HEAD + "RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
        HEAD + "RUN apt-get install -y curl=7.88.1-10 -t stable\n",
    ),
    "dockerfile-packages-left": (
        HEAD + "RUN apt-get update && apt-get install -y curl=7.88.1-10\n",
        HEAD + "RUN apt-get install -y --no-install-recommends curl=7.88 && rm -rf /var/lib/apt/lists/*\n",
    ),
    "dockerfile-pip-unhashed": (
        HEAD + "RUN python -m pip install --no-cache-dir -r requirements.txt\n",
        HEAD + "RUN pip install --require-hashes -r requirements.txt && pip install --no-deps .\n",
    ),
    "dockerfile-npm-unlocked": (HEAD + "RUN npm install --production\n", HEAD + "RUN npm ci --ignore-scripts\n"),
    "dockerfile-git-unpinned": (
        HEAD + "RUN git clone --depth 1 https://example.org/a.git\n",
        HEAD + f"RUN git clone https://example.org/a.git && git -C a checkout {'0123abcd' * 5}\n",
    ),
    "dockerfile-no-healthcheck": (
        HEAD + 'HEALTHCHECK NONE\nCMD ["app"]\n',
        HEAD + 'HEALTHCHECK CMD true\nCMD ["app"]\n',
    ),
    "dockerfile-shell-form": (HEAD + "CMD python app.py\n", HEAD + 'CMD ["python", "app.py"]\n'),
}


def test_every_rule_has_its_samples() -> None:
    assert SAMPLES.keys() == RULES.keys()


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_rule_sees_what_breaks_it_and_nothing_else(rule: str) -> None:
    bad, good = SAMPLES[rule]
    assert rule in rules_of(bad, ignores=False)
    assert rule not in rules_of(good, ignores=False)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("RUN bash <(curl -s https://example.org/i.sh)", "dockerfile-pipe-to-shell"),
        ('RUN sh -c "$(curl -fsSL https://example.org/i.sh)"', "dockerfile-pipe-to-shell"),
        ('RUN ["sh", "-c", "wget -qO- https://example.org/i | sudo -E bash -"]', "dockerfile-pipe-to-shell"),
        ("RUN <<EOF\nset -e\ncurl https://example.org/i.sh | sh\nEOF", "dockerfile-pipe-to-shell"),
        ("RUN <<-'END' bash\n\tcurl https://example.org/i.sh | sh\n\tEND", "dockerfile-pipe-to-shell"),
        ("ONBUILD RUN curl https://example.org/i.sh | sh", "dockerfile-pipe-to-shell"),
        ("run CURL=1 curl https://example.org/i.sh|sh", "dockerfile-pipe-to-shell"),
        ("RUN pip install --trusted-host example.org x", "dockerfile-verification-off"),
        ("RUN git -c http.sslVerify=false clone https://example.org/x", "dockerfile-verification-off"),
        ("ENV NODE_TLS_REJECT_UNAUTHORIZED 0", "dockerfile-verification-off"),
        ("RUN export API_KEY=zX81mQp4Lr7Kd90 && ./fetch", "dockerfile-secret-value"),
        ("ENV DATABASE_URL=postgres://app:s3cr3tPwd9@db/app", "dockerfile-secret-value"),
        ("COPY --chmod=777 run.sh /", "dockerfile-world-writable"),
        ("RUN chmod a+rwx /srv", "dockerfile-world-writable"),
        ("RUN chmod 4755 /srv/x", "dockerfile-setuid"),
        ("RUN apk add curl", "dockerfile-packages-left"),
        ("ADD https://example.org/a.git#main /src", "dockerfile-git-unpinned"),
        ("ARG U=http://example.org/a.bin\nADD ${U} /a", "dockerfile-plain-http"),
        ("RUN pip install git+https://example.org/a.git@main", "dockerfile-git-unpinned"),
    ],
)
def test_other_ways_to_say_it(line: str, rule: str) -> None:
    assert rule in rules_of(HEAD + line + "\n")


def test_stages_are_told_apart() -> None:
    """A stage that is a base, one that is only copied from, and the one that is built."""
    text = f"FROM go:1{PIN} AS build\nUSER 1000\nFROM build AS final\nCOPY --from=build /x /x\n"
    assert rules_of(text) & {"dockerfile-root-user", "dockerfile-base-latest", "dockerfile-base-unpinned"} == set()
    assert "dockerfile-root-user" in rules_of(
        f"FROM go:1{PIN} AS build\nUSER 1000\nFROM scratch\nCOPY --from=build /x /x\n"
    )


def test_a_finding_has_its_line_and_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(HEAD + "RUN true\n\nENV A=1 \\\n    API_TOKEN=zX81mQp4Lr7Kd90\nUSER 5\n")
    (artifact,) = discover(tmp_path).artifacts
    found = [one for one in scan(artifact) if isinstance(one, Finding)]
    (secret,) = [one for one in found if one.rule.id == "dockerfile-secret-value"]
    assert secret.location.line == 4
    assert "zX81" not in repr(secret)


def test_what_cannot_be_read_is_not_clean(tmp_path: Path) -> None:
    for text in ("", "# nothing\n", "FORM debian\n", HEAD + "RUN <<EOF\nnever ends\n", HEAD + "FLY away\n"):
        (tmp_path / "Dockerfile").write_text(text)
        (artifact,) = discover(tmp_path).artifacts
        assert any(isinstance(one, Skipped) for one in scan(artifact)), text


def test_a_backtick_may_be_the_escape() -> None:
    text = "# escape=`\n" + HEAD + "RUN curl https://example.org/i.sh `\n | sh\nCOPY C:\\\n"
    parsed = parse(text)
    assert [item.name for item in parsed.stages[0].instructions] == ["RUN", "COPY"]
    assert "dockerfile-pipe-to-shell" in rules_of(text)


def test_shell_words() -> None:
    found = pipelines('A=1 curl -o \'a b\' "c\\"d" e\\ f 2>/dev/null | tee x; (cd y && make) # c | sh')
    assert [[c.words for c in line] for line in found] == [
        [("curl", "-o", "a b", 'c"d', "e f"), ("tee", "x")],
        [("cd", "y")],
        [("make",)],
    ]
    assert found[0][0].variables == ("A=1",)
    assert found[0][0].redirects == (">/dev/null",)


PIECES = st.sampled_from(
    ["FROM a:1 AS b\n", "RUN ", "<<EOF", "EOF\n", "\\\n", "\n", "curl x | sh", "'", '"', "$(", "`", ")", "# syntax=x\n",
     "COPY . /", "--from=b ", "[", '["a"]', "ENV A=", "${A:-", "}", "USER 0\n", "EXPOSE 1-", "99999", "\t",
     "\0", "chmod "]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=40).map("".join))
def test_the_reader_takes_anything(text: str) -> None:
    for hit in judge(parse(text), ignores=False):
        assert 0 <= hit.line <= text.count("\n") + 1
        assert hit.rule.id in RULES


LONG = (
    ("RUN ", "a"), ("RUN ", "$("), ("RUN ", '"'), ("RUN ", "a="), ("RUN ", "<<A "), ("RUN x", "\\\n"), ("ENV ", "a='"),
    ("RUN ", "a;"), ("FROM ", "${a:-"), ("RUN ", "sh -c '"), ("RUN ", "curl "), ("ENV ", "a"), ("ENV ", "a.-"),
    ("RUN ", "\\a"), ("COPY ", "/.env"), ("RUN curl ", "http://a"), ("RUN ", "''a"), ("LABEL a=", "a://a:"),
)  # fmt: skip


@pytest.mark.parametrize(("head", "more"), LONG)
def test_a_long_line_ends(head: str, more: str) -> None:
    parsed = parse(HEAD + head + more * (200_000 // len(more)) + "\n")
    assert parsed.problems
    list(judge(parsed, ignores=False))
