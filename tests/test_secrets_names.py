"""A file whose name is a token: told, and shown in no report."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from shipworthy.artifacts import discover
from shipworthy.cli import main
from shipworthy.paths import display_name

_DRAW = random.Random(7)


def made(start: str, count: int, letters: str = string.ascii_letters + string.digits) -> str:
    """A worthless token, put together here so that this file holds none."""
    return start + "".join(_DRAW.choices(letters, k=count))


TOKENS = [
    made("AK" + "IA", 16, string.ascii_uppercase + string.digits),
    made("gh" + "p_", 36),
    made("github" + "_pat_", 60),
    made("xo" + "xb-", 50),
    made("h" + "f_", 34, string.ascii_letters),
    made("sk" + "-proj-", 60),
    made("ey" + "J", 30) + made(".ey" + "J", 30) + made(".", 40),
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("shape", ["{}", "{}.txt", "backup-{}.bin", "a/{}/b.py", "{}\n.txt"])
def test_a_token_in_a_name_is_redacted(token: str, shape: str) -> None:
    shown = display_name(shape.format(token))
    assert token not in shown
    assert token[8:] not in shown
    assert shown.startswith(shape.partition("{")[0] + token[:4])
    assert shown != display_name(shape.format(token[:-1] + ("B" if token[-1] == "A" else "A")))


@pytest.mark.parametrize(
    "name",
    [
        "sk-learn-pipeline-with-a-long-name-and-version-1.pkl",
        "hf_model_for_sequence_classification_base_uncased.py",
        "AKIAN.txt",
        "0123456789abcdef0123456789abcdef01234567.json",
        "risk-assessment.md",
    ],
)
def test_an_ordinary_name_stays(name: str) -> None:
    assert display_name(name) == name


@pytest.mark.parametrize("format_", ["table", "json", "sarif", "html", "junit", "markdown", "cyclonedx"])
def test_no_report_shows_it_and_every_report_tells(tmp_path: Path, format_: str) -> None:
    root = tmp_path / "w"
    (root / TOKENS[2]).mkdir(parents=True)
    for name in (f"{TOKENS[1]}.txt", f"{TOKENS[0]}.png", f"{TOKENS[2]}/m.pkl"):
        (root / name).write_bytes(b"\x80\x04N.")
    report = tmp_path / "report"
    chosen = ["--check", "secrets-names", "--check", "models"]
    assert main(["scan", str(root), *chosen, "--format", format_, "--output", str(report), "--quiet"]) == 1
    text = report.read_text(encoding="utf-8")
    assert not [token for token in TOKENS if token[8:] in text]
    assert "REDACTED" in text
    assert "secret-token" in text or format_ == "cyclonedx"


def test_names_stay_apart_and_files_can_be_read(tmp_path: Path) -> None:
    for token in TOKENS:
        (tmp_path / token).write_bytes(token.encode())
    artifacts = discover(tmp_path).artifacts
    assert {artifact.read_text() for artifact in artifacts} == set(TOKENS)
    assert len({artifact.uri for artifact in artifacts}) == len(TOKENS)
