"""The scripts that make the allow table: what they say of classes whose source text is known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[1] / "scripts"
SOURCE = '''
import codecs
import os
import sys
import subprocess
from collections.abc import MutableSequence

class Plain:
    def __setstate__(self, state):
        self.__dict__ = state

class Running(Plain):
    def __setstate__(self, state):
        self._start(state)
    def _start(self, state):
        subprocess.run(state["command"])

class Calling:
    def __setstate__(self, state):
        state["function"]()

class Inheriting(Calling):
    def __setstate__(self, state):
        super().__setstate__(dict(state))

def mixed(one, other):
    class Mixed(one.part(other), one):
        pass
    return Mixed

class Making:
    def __setstate__(self, state):
        state["made"] = mixed(state["one"], state["other"])

class Declared:
    """What runs when a subclass is written does not run when one is loaded."""
    def __init_subclass__(cls):
        exec("pass")

class Below(Declared):
    pass

class Chosen(MutableSequence if sys.version_info > (3, 9) else Plain, Plain):
    def __getitem__(self, index): ...

class ChosenBadly(Running if sys.version_info > (3, 9) else Plain):
    pass

class Building:
    def __init__(self, command):
        os.system(command)

OldName = Plain
OldRunning = Running

def rebuilt(kind, value):
    made = kind.__new__(kind)
    return made

class Reduced:
    def __reduce__(self):
        return rebuilt, (type(self), 1)

def compute(value):
    return value + 1

def append(path, text):
    with codecs.open(path, "a") as stream:
        stream.write(text)

def remove(path):
    os.remove(path)
'''


def listed(folder: Path, **files: str) -> dict[str, dict[str, str]]:
    """What the script says of a package of these modules."""
    package = folder / "library"
    package.mkdir()
    for name, text in {"__init__": "", **files}.items():
        path = package / f"{name.replace('__', '/') if not name.startswith('_') else name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    out = folder / "out.json"
    command = [sys.executable, str(SCRIPTS / "allow_sources.py"), str(out), str(folder), "--package", "library"]
    subprocess.run(command, check=True)
    names: dict[str, dict[str, str]] = json.loads(out.read_text(encoding="utf-8"))["names"]
    return names


def merged(folder: Path, older: tuple[str, ...] = (), **environments: dict[str, dict[str, str]]) -> str:
    """The table of some environments."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        from make_allow_table import merge
    finally:
        sys.path.remove(str(SCRIPTS))
    paths = []
    for name, names in environments.items():
        path = folder / f"{name}.import.json"
        path.write_text(json.dumps({"versions": {}, "names": names}), encoding="utf-8")
        paths.append(str(path))
    return "\n".join(line for line in merge(paths, older).splitlines() if not line.startswith("#"))


def test_a_class_is_judged_by_what_it_runs_while_it_is_loaded(tmp_path: Path) -> None:
    found = listed(tmp_path, shapes=SOURCE)["library.shapes"]
    assert {name: found[name] for name in ("Plain", "Below", "Chosen", "OldName", "Reduced")} == {
        "Plain": "c", "Below": "c", "Chosen": "c", "OldName": "c", "Reduced": "c"
    }  # fmt: skip
    for name in ("Running", "Calling", "Inheriting", "Making", "ChosenBadly", "OldRunning"):
        assert found[name] == "x", name
    assert found["Building"] == "n"
    assert found["rebuilt"] == "p"
    assert found["compute"] == "r"
    assert not {"remove", "append"} & set(found)


def test_parts_of_a_library_that_no_file_refers_to_are_left_out(tmp_path: Path) -> None:
    found = listed(tmp_path, shapes=SOURCE, cli=SOURCE, modular_shapes=SOURCE, tests__test_shapes=SOURCE)
    for module, names in found.items():
        if module != "library.shapes":  # what a `__reduce__` calls is followed wherever it stands
            assert set(names.values()) <= {"p"}, module


def test_the_strictest_environment_counts_and_older_ones_only_add(tmp_path: Path) -> None:
    new, other = {"a": {"X": "c", "Y": "v"}}, {"a": {"X": "x", "Y": "c", "Z": "c"}}
    assert merged(tmp_path, one=new, two=other) == "a\tc Z\tv Y"
    assert merged(tmp_path, ("two",), one=new, two=other) == "a\tc X Z\tv Y"


def test_what_runs_by_its_use_is_struck_from_all_environments(tmp_path: Path) -> None:
    names = {"numpy": {"lookfor": "r", "log": "r"}, "nltk.app.one": {"App": "c"}, "patsy.eval": {"EvalFactor": "c"}}
    assert merged(tmp_path, one=names) == "numpy\tr log"
