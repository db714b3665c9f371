"""Secrets in files: what is found, what is left alone, and what people get to see of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

import secrets_material as make
from secrets_material import compiled_rules  # noqa: F401
from shipworthy.checks.secrets import files
from shipworthy.model import Artifact, Confidence, Kind, Severity

CHECK = files.run.check


def test_each_kind_of_secret_is_found_where_it_is_and_never_shown(tmp_path: Path) -> None:
    key = make.private_key()
    word, token, random40, random32 = make.password(), make.hugging_face(), make.chars(7, 40), make.chars(8, 32)
    planted = {
        "bot.py": (f'# a bot\nTOKEN = "{make.slack()}"\n', "secret-token", 2, make.slack()),
        "train.py": (f'login(token="{token}")\n', "secret-token", 1, token),
        "id.pem": (key, "secret-private-key", 1, key.splitlines()[5]),
        "aws.py": (f'aws_secret_access_key = "{random40}"\n', "secret-cloud-key", 1, random40),
        "boto.cfg": (f"x = {make.aws_id()}\naws_secret_access_key = {random40}\n", "secret-cloud-key", 1, random40),
        "app.py": (f'app = Flask()\n\napp.config["SECRET_KEY"] = "{random32}"\n', "secret-generic", 3, random32),
        "db.py": (f'URL = "postgresql://app:{word}@db.internal:5432/x"\n', "secret-connection-string", 1, word),
        "login.py": (f'connect(user="x", password="{word}")\n', "secret-password", 1, word),
        "annotated.py": (f'db_password: str = "{word}"\n', "secret-password", 1, word),
        "default.py": (f'os.environ.get("DB_PASSWORD", "{word}")\n', "secret-password", 1, word),
        "k8s.yaml": (f"env:\n  - name: DB_PASSWORD\n    value: {word}\n", "secret-password", 3, word),
        "task.json": (f'{{"name": "API_TOKEN", "value": "{random32}"}}\n', "secret-generic", 1, random32),
        "compose.yml": (f"environment:\n  - POSTGRES_PASSWORD={word}\n", "secret-password", 2, word),
        ".env": (f"export DJANGO_SECRET_KEY={random32}\n", "secret-generic", 1, random32),
        "Dockerfile": (f"FROM x\nENV API_TOKEN {random32}\nARG PASSWORD={word}\n", "secret-password", 3, word),
    }  # fmt: skip
    artifacts = make.lay_out(tmp_path, {name: text for name, (text, *_) in planted.items()})
    findings, skipped = make.run(CHECK, artifacts, tmp_path)
    assert not skipped
    for name, (_, rule, line, secret) in planted.items():
        own = [f for f in findings if f.artifact.uri == name]
        assert (rule, line) in {(f.rule.id, f.location.line) for f in own}, (name, own)
        assert not any(make.shows(f, secret) for f in findings), name
    assert {f.witnesses for f in findings} == {("kingfisher",), ("shipworthy",)}
    assert {f.rule for f in findings} <= set(files.RULES)


def test_what_only_looks_like_a_secret_is_left_alone(tmp_path: Path) -> None:
    example = "AK" + "IA" + "IOSFODNN7" + "EXAMPLE"
    texts = {
        "a.py": f'key = "{example}"\nsecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\npassword = "changeme1!"\n',
        "b.py": 'password = os.environ["DB_PASSWORD1"]\ntoken = f"{prefix}-{suffix}12345678"\nPASSWORD = "PASSWORD"\n',
        "c.py": 'tokenizer_class = "GPT2TokenizerFast9"\npad_token = "<pad1234567890abc>"\nmax_tokens = "1024abcd"\n',
        "d.py": 'token_url = "https://acme.io/oauth2/token1"\npassword_field = "User9!"\nsecret_name = "prod/db/Pw9"\n',
        "e.yaml": "password: ${DB_PW1}\nsecretKeyRef: my-secret-1\npassword: that of user 1\ntoken: {{ .Values.t1 }}\n",
        "f.py": 'URL = "postgresql://user:password@localhost/db"\nURL2 = "https://${USER}:${PASS1}@acme.io"\n',
        "g.json": '{"password": "user.password.label1", "token": null, "secret": ""}\n',
        "h.sh": 'curl -H "Authorization: Bearer $TOKEN1" x\nPASSWORD=$(cat /run/secrets/db1)\nexport TOKEN="$1"\n',
        "Dockerfile": "ARG PASSWORD\nENV TOKEN=${TOKEN}\n",
        "poetry.lock": f'token = "{make.chars(3, 40)}"\n',
    }
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, texts), tmp_path)
    assert not skipped
    assert [(f.artifact.uri, f.message) for f in findings if f.severity > Severity.LOW] == []


def test_names_that_could_mean_something_mean_nothing(tmp_path: Path) -> None:
    text = f'TOKEN = "{make.slack()}"\n'
    names = ["--help", "-", "a\nb.py", "a b;c.py", ".gitignore", ".ignore", "x.zip", "y.tar.gz", "*", "kingfisher.yaml"]
    raw = [os.fsencode(name) for name in names] + [b"\xff\xfe.py"]
    made = []
    for name in raw:
        path = tmp_path / os.fsdecode(name)
        path.write_text(text if name != b".ignore" else f"*\n{text}")
        made.append(make.artifact(path, tmp_path))
    findings, skipped = make.run(CHECK, tuple(made), tmp_path)
    assert not skipped
    assert {f.artifact.path for f in findings} == {a.path for a in made}


def test_encodings_doubles_and_comments_hide_nothing(tmp_path: Path) -> None:
    token = make.hugging_face()
    line = f'T = "{token}"  # kingfisher:ignore gitleaks:allow nosec pragma: allowlist secret\n'
    contents: dict[str, str | bytes] = {
        "one.py": line,
        "two.py": line,
        "utf16.py": line.encode("utf-16"),
        "utf16-unmarked.py": line.encode("utf-16-le"),
        "utf32.py": line.encode("utf-32"),
        "zip.py": b"PK\x03\x04\n" + line.encode(),
        "nul.py": b"\0\0\0\n" + line.encode(),
        "gzip.txt": b"\x1f\x8b\x08\n" + line.encode(),
        "latin.py": "# naïve\n".encode("latin-1") + line.encode(),
        "long.txt": "x " * 500_000 + line,
        "empty.py": b"",
    }
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, contents), tmp_path)
    assert not skipped
    assert {f.artifact.uri for f in findings} == set(contents) - {"empty.py"}
    assert not any(make.shows(f, token) for f in findings)


def test_a_token_in_prose_markup_or_a_table_is_found_too(tmp_path: Path) -> None:
    token = make.hugging_face()
    texts = {
        "a.md": f"Use the token ({token}) of <b>{token}</b>.\n",
        "b.html": f"<td>{token}</td>",
        "c.txt": f"1,{token},2",
        "d.xml": f"<a>{token}</a>",
        "e.log": f"GET /?t={token}&x=1",
        "NOTES": f"[{token}]",
    }
    findings, _ = make.run(CHECK, make.lay_out(tmp_path, texts), tmp_path)
    assert {f.artifact.uri for f in findings} == set(texts)
    assert [f.location.column for f in findings if f.artifact.uri == "c.txt"] == [3]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    big, gone, pipe, good = (tmp_path / name for name in ("big.py", "gone.py", "pipe.py", "good.py"))
    big.write_text("x" * 2000)
    gone.write_text("x")
    good.write_text(f'T = "{make.slack()}"')
    os.mkfifo(pipe)
    artifacts = [make.artifact(path, tmp_path) for path in (big, gone, pipe, good)]
    gone.unlink()
    nowhere = Artifact("https://example.org/x.py", Kind.CODE, "sha256:" + "0" * 64, 1)
    findings, skipped = make.run(CHECK, (*artifacts, nowhere), tmp_path, **{"max-bytes": 1000})
    assert [f.artifact.uri for f in findings] == ["good.py"]
    assert {s.artifact.uri for s in skipped if s.artifact} == {"big.py", "gone.py", "pipe.py", nowhere.uri}


def test_a_file_full_of_secrets_does_not_flood_the_report(tmp_path: Path) -> None:
    text = "".join(f'T{seed} = "{make.hugging_face(seed)}"\n' for seed in range(150))
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, {"a.py": text}), tmp_path)
    assert len(findings) == 100
    assert "50 more" in skipped[0].reason


def test_fingerprints_outlive_moved_lines_but_not_a_new_secret(tmp_path: Path) -> None:
    token, word = make.slack(), make.password()
    texts = {
        "before.py": f'T = "{token}"\npassword = "{word}"\n',
        "moved.py": f'import x\n\n\nT = "{token}"\n\npassword = "{word}"\n',
        "rotated.py": f'T = "{make.slack(50)}"\npassword = "{word}"\n',
        # Of a password only the length may be computed from the key: another of that length gives the same.
        "other.py": f'T = "{token}"\npassword = "{make.password(9)}"\n',
    }
    findings, _ = make.run(CHECK, make.lay_out(tmp_path, texts), tmp_path)
    keys = {name: {f.key for f in findings if f.artifact.uri == name} for name in texts}
    assert all(len(found) == 2 for found in keys.values())
    assert keys["moved.py"] == keys["before.py"] == keys["other.py"]
    assert len(keys["rotated.py"] & keys["before.py"]) == 1


def test_tests_and_documents_weigh_less_for_named_values_only(tmp_path: Path) -> None:
    texts = {f"{folder}/x.py": f'password = "{make.password()}"\nT = "{make.slack()}"\n' for folder in ("src", "tests")}
    findings, _ = make.run(CHECK, make.lay_out(tmp_path, texts), tmp_path)
    severities = {(f.artifact.uri, f.rule.id): (f.severity, f.confidence) for f in findings}
    assert severities["src/x.py", "secret-password"] == (Severity.MEDIUM, Confidence.MEDIUM)
    assert severities["tests/x.py", "secret-password"] == (Severity.LOW, Confidence.LOW)
    assert severities["src/x.py", "secret-token"] == severities["tests/x.py", "secret-token"]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    findings, _ = make.run(CHECK, make.lay_out(tmp_path, {"a.py": f'T = "{make.slack()}"'}), tmp_path)
    assert findings
    assert list(place.iterdir()) == []


def test_the_known_bad_sample_is_seen(tmp_path: Path) -> None:
    assert CHECK.canary
    assert CHECK.canary.rule in make.fire(CHECK, tmp_path)


def test_names_in_lower_case_beside_a_services_name_are_no_tokens(tmp_path: Path) -> None:
    """A list of package names: "datadog-torchserve" is followed by a name of forty letters."""
    text = '["plex-updater","datadog-torchserve","odoo9-addon-stock-quant-reserved-qty-uom","aiofauna"]\n'
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, {"index.json": text}), tmp_path)
    assert not skipped
    assert all(finding.severity is Severity.LOW for finding in findings)


def test_an_access_key_id_alone_is_a_finding_and_is_not_shown_whole(tmp_path: Path) -> None:
    artifacts = make.lay_out(tmp_path, {"a.py": f'client("{make.aws_id()}")\n', "b.py": 'x = "AKIAIOSFODNN7EXAMPLE"\n'})
    (found,), skipped = make.run(CHECK, artifacts, tmp_path)
    assert (found.rule.id, found.severity, found.artifact.uri) == ("secret-cloud-key-id", Severity.MEDIUM, "a.py")
    assert found.rule in files.RULES
    assert make.aws_id() not in repr(found)
    assert not skipped
