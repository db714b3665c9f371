"""Our own patterns: properties over any text, and the words that decide."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import secrets_material as make
from shipworthy.checks.secrets import _engine, _patterns, _rules
from shipworthy.checks.secrets._patterns import Dialect, find, kind_of
from shipworthy.checks.secrets._placeholder import is_placeholder

PIECES = st.sampled_from(
    ["password", "API_KEY", "secret", "=", ": ", '"', "'", "\n", "ENV ", "value", "name: ", "://", "@", ":", "a1B!",
     " ", "token", "${X}", "os.environ.get(", "[", "]", "\\", "=>", "Zk9!xYpq", "İ", "ß", "é", "\0", "-" * 50]
)  # fmt: skip


@given(st.lists(PIECES, max_size=60).map("".join) | st.text(), st.sampled_from(Dialect))
def test_any_text_gives_slices_of_itself(text: str, dialect: Dialect) -> None:
    for match in find(text, dialect):
        assert text[match.start : match.end] == match.secret
        assert match.secret
        assert match.secret not in repr(match)


@given(st.lists(PIECES, max_size=10).map("".join), st.integers(0, 1000))
def test_a_planted_password_is_found_after_anything(before: str, seed: int) -> None:
    word = make.password(seed)
    if is_placeholder(word):
        return
    text = f'{before}\n"""\n\ndb_password = "{word}"\n'
    assert word in {match.secret for match in find(text, Dialect.CODE)}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("password", "secret-password"), ("DB_PASSWORD", "secret-password"), ("userPasswd2", "secret-password"),
        ("db-pass", "secret-password"), ("SECRET_KEY", "secret-generic"), ("apiKey", "secret-generic"),
        ("openai.api_key", "secret-generic"), ("AWS_SECRET_ACCESS_KEY", "secret-cloud-key"),
        ("HF_TOKEN", "secret-generic"),
        ("tokenizer", None), ("PWD", None), ("db_pwd", "secret-password"),
        ("max_tokens", None), ("token_type", None), ("password_hash", None), ("csrf_token", None),
        ("secret_name", None), ("compass", None), ("publicKeyToken", None), ("pad_token", None), ("key", None),
        ("keyboard", None), ("passwordResetUrl", None), ("", None), ("123", None),
    ],
)  # fmt: skip
def test_the_name_decides_what_a_value_is(name: str, rule: str | None) -> None:
    found = kind_of(name)
    assert (found.id if found else None) == rule


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 200_000 + "!", '"' * 200_000, "password" * 50_000, "password=" * 40_000, "://a:" * 50_000,
        "_pass" * 50_000,
        "name: PASSWORD\n" * 20_000, "ENV PASSWORD " * 20_000, "password: a|a|a|a|" * 20_000, "://" + "a" * 300_000,
        "password" + " " * 300_000 + "=", "password\t" * 50_000, "secret='" + "a-" * 100_000 + "'",
        "token=" + "a" * 300_000,
    ],
)  # fmt: skip
def test_no_text_takes_more_than_linear_time(hostile: str) -> None:
    """It ends: an expression that backtracks would run for hours on one of these."""
    for dialect in Dialect:
        assert len(list(find(hostile, dialect))) < len(hostile)


def test_every_tool_rule_has_one_of_ours() -> None:
    names = {
        "aws-access-token": "secret-cloud-key", "gcp-api-key": "secret-cloud-key", "private-key": "secret-private-key",
        "polymarket-private-key": "secret-private-key", "mongodb-connection-string": "secret-connection-string",
        "azure-servicebus-connection-string": "secret-connection-string",
        "generic-credential-uri": "secret-connection-string",
        "hashicorp-tf-password": "secret-password", "kubernetes-secret-yaml": "secret-generic",
        "never-heard-of": "secret-token", "": "secret-token",
    }  # fmt: skip
    assert {name: _rules.rule_for(name).id for name in names} == names
    assert _rules.is_identifier("asana-client-id.1")
    assert not _rules.is_identifier("asana-client-secret")


@given(st.binary(min_size=1, max_size=200))
def test_redaction_and_marks_take_any_bytes_and_show_little(secret: bytes) -> None:
    text = secret.decode("utf-8", "replace")
    shown = _engine.redact(secret)
    assert shown.isprintable()
    assert len(shown.partition("…")[0]) <= min(4, len(text) // 4)
    assert len(text) < 20 or len(_engine.mark(secret)) < len(text) or "characters" in _engine.mark(secret)


@given(st.binary(max_size=300))
def test_what_the_tool_sees_has_no_nul_and_is_as_long_unless_it_was_utf16(data: bytes) -> None:
    seen = _engine.as_text(data)
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")) or data.count(0) * 3 > len(data)
    assert utf16 or (len(seen) == len(data) and b"\0" not in seen)


def test_the_examples_in_the_documentation_hold() -> None:
    for module in (_rules, _patterns):
        assert doctest.testmod(module).failed == 0


def test_an_access_key_id_alone_is_told() -> None:
    lasting, passing = make.aws_id(), "ASIA" + make.aws_id()[4:]
    text = f'client(id="{lasting}")\n| {passing} |\nAKIAIOSFODNN7EXAMPLE {lasting}A x{lasting} AKIAAAAAAAAAAAAAAAAA\n'
    found = [match for match in find(text, Dialect.CODE) if match.rule is _rules.CLOUD_KEY_ID]
    assert [match.secret for match in found] == [lasting, passing]
    assert found[0].rule.severity == "medium"


def test_an_access_key_id_beside_its_secret_is_no_finding_of_its_own() -> None:
    data = f'id = "{make.aws_id()}"\naws_secret_access_key = "{make.chars(7, 40)}"\n'.encode()
    hits = _engine._merge(data, [], list(_engine._own(data, Dialect.CODE)))
    assert [hit.rule.id for hit in hits] == ["secret-cloud-key"]
