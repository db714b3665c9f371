"""pyproject.toml, setup.cfg, Pipfile, conda environments, and the lock files of pip, poetry, uv, pdm and pipenv."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from shipworthy.checks.dependencies._manifest import (
    Dependency,
    Index,
    Manifest,
    Unread,
    exact_version,
    located,
    requirement,
    valid_name,
    without_credentials,
)
from shipworthy.checks.dependencies._requirements import entry
from shipworthy.checks.dependencies._setup import setup_py

Reader = Callable[[str], Manifest]
_MAX = 50_000
_INTERPRETER = ("python", "pip")


def reader_for(name: str) -> Reader | None:
    """The reader of a file of this (lower-case) name; None if there is none."""
    if re.fullmatch(r"pylock\.([a-z0-9_-]+\.)?toml", name):
        return pylock
    if re.fullmatch(r"(conda-?)?env(ironment)?[\w.-]*\.ya?ml|conda[\w.-]*\.ya?ml", name):
        return conda
    return {
        "pyproject.toml": pyproject, "poetry.lock": poetry_lock, "uv.lock": uv_lock, "pdm.lock": pdm_lock,
        "pipfile.lock": pipfile_lock, "pipfile": pipfile, "setup.cfg": setup_cfg, "setup.py": setup_py,
    }.get(name)  # fmt: skip


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise Unread("is not TOML") from None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value[:_MAX] if isinstance(value, list) else []


class _Collector:
    """Gathers requirements and what could not be understood. TOML and JSON give no lines: the text is searched."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        for number, line in enumerate(text.splitlines()[:200_000], 1):
            for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", line[:500]):
                self._lines.setdefault(re.sub(r"[-_.]+", "-", word).lower(), number)
        self.found: list[Dependency] = []
        self.problems: list[tuple[int, str]] = []

    def line(self, name: str) -> int | None:
        return self._lines.get(name)

    def requirement(self, text: Any, group: str) -> None:
        if not isinstance(text, str):
            self.problems.append((0, f"an entry of {group} is no text"))
            return
        try:
            item = requirement(text, group=group)
        except Unread as error:
            self.problems.append((0, f"an entry of {group} {error}"))
            return
        self.add(item)

    def add(self, item: Dependency) -> None:
        self.found.append(replace(item, line=self.line(item.name)))

    def manifest(self, form: str, indexes: tuple[Index, ...] = ()) -> Manifest:
        return Manifest(form, tuple(self.found[:_MAX]), indexes, (), tuple(self.problems[:200]))


def pyproject(text: str) -> Manifest:
    """[project], its extras, [dependency-groups] (PEP 735), [build-system], and the tables of poetry and pdm."""
    data, out = _toml(text), _Collector(text)
    project, tool = _table(data.get("project")), _table(data.get("tool"))
    for item in _list(project.get("dependencies")):
        out.requirement(item, "dependencies")
    for name, items in _table(project.get("optional-dependencies")).items():
        for item in _list(items):
            out.requirement(item, f"extra {name}")
    for name, items in _table(data.get("dependency-groups")).items():
        for item in _list(items):
            if not isinstance(item, dict):  # {include-group = "..."}: read where it stands
                out.requirement(item, f"group {name}")
    for item in _list(_table(data.get("build-system")).get("requires")):
        out.requirement(item, "build-system")
    poetry = _table(tool.get("poetry"))
    _poetry(poetry.get("dependencies"), "dependencies", out)
    _poetry(poetry.get("dev-dependencies"), "group dev", out)
    for name, group in _table(poetry.get("group")).items():
        _poetry(_table(group).get("dependencies"), f"group {name}", out)
    for name, items in _table(_table(tool.get("pdm")).get("dev-dependencies")).items():
        for item in _list(items):
            out.requirement(item, f"group {name}")
    indexes = [
        _index(s, "extra" if _table(s).get("priority") in ("supplemental", "secondary") else "index")
        for s in _list(poetry.get("source"))
    ]
    indexes += [
        _index(s, "index")
        for s in (*_list(_table(tool.get("uv")).get("index")), *_list(_table(tool.get("pdm")).get("source")))
    ]
    if str(_table(tool.get("uv")).get("index-strategy", "")).startswith("unsafe"):
        indexes.append(Index("extra", "uv's index-strategy unsafe-…"))
    return out.manifest("project", tuple(i for i in indexes if i.url))


def _index(source: Any, how: str) -> Index:
    url = _table(source).get("url")
    return Index(how, without_credentials(url) if isinstance(url, str) else "")


def _poetry(table: Any, group: str, out: _Collector) -> None:
    for raw, wanted in _table(table).items():
        name = valid_name(raw)
        if not name:
            out.problems.append((0, f"a name in {group} is none"))
        elif name != "python":
            for option in wanted if isinstance(wanted, list) else [wanted]:
                out.add(_poetry_one(name, option, group))


def _poetry_one(name: str, wanted: Any, group: str) -> Dependency:
    table = _table(wanted)
    if isinstance(table.get("git"), str):
        revision = table.get("rev") if isinstance(table.get("rev"), str) else ""
        return located(name, f"git+{table['git']}", group=group, commit=str(revision))
    if isinstance(table.get("url"), str):
        return located(name, table["url"], group=group)
    if "path" in table:
        return Dependency(name, source="path", fixed=True, group=group, editable=table.get("develop") is True)
    version = wanted if isinstance(wanted, str) else table.get("version", "")
    text = version.strip() if isinstance(version, str) and version.strip() != "*" else ""
    exact = (
        text
        if re.fullmatch(r"\d+(\.\d+)+([A-Za-z][\w.]*)?", text)
        else exact_version(text)
        if text.startswith("==")
        else ""
    )
    return Dependency(name, text, exact, group=group)


def _packages(text: str, key: str = "package") -> Iterator[tuple[str, Mapping[str, Any]]]:
    data = _toml(text)
    packages = data.get(key)
    if packages is not None and not isinstance(packages, list):
        raise Unread("is no lock file of this format")
    for package in _list(packages):
        name = valid_name(_table(package).get("name"))
        if name:
            yield name, package


def _line_index(text: str) -> dict[str, int]:
    """The lines of `name = "..."` in a lock file."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("name = ") and (name := valid_name(line[7:].strip().strip('"'))):
            found.setdefault(name, number)
    return found


def _locked(
    name: str, package: Mapping[str, Any], line: int | None, hashes: int, source: Mapping[str, Any]
) -> Dependency:
    version = package.get("version")
    text = version if isinstance(version, str) else ""
    url = next((source[k] for k in ("git", "url", "registry") if isinstance(source.get(k), str)), "")
    kind = str(source.get("type", ""))
    if "git" in source or kind == "git":
        return Dependency(name, f"=={text}", text, line, hashes, "vcs", without_credentials(url), fixed=True)
    if kind in ("directory", "file") or any(k in source for k in ("virtual", "editable", "directory", "path")):
        return Dependency(name, f"=={text}" if text else "", text, line, hashes, "path", fixed=True)
    if kind == "url" or ("url" in source and kind != "legacy"):
        return Dependency(name, f"=={text}", text, line, hashes, "url", without_credentials(url), fixed=bool(hashes))
    return Dependency(
        name, f"=={text}" if text else "", text, line, hashes, url=without_credentials(url) if url else ""
    )


def _hash_count(files: Any, key: str = "hash") -> int:
    return sum(1 for f in _list(files) if isinstance(_table(f).get(key) or _table(f).get("hashes"), str | dict))


def poetry_lock(text: str) -> Manifest:
    """poetry.lock, versions 1 and 2."""
    old_files = _table(_table(_toml(text).get("metadata")).get("files"))
    lines = _line_index(text)
    found = []
    for name, package in _packages(text):
        count = _hash_count(package.get("files")) or _hash_count(old_files.get(str(package.get("name"))))
        found.append(_locked(name, package, lines.get(name), count, _table(package.get("source"))))
    return Manifest("lock", tuple(found))


def uv_lock(text: str) -> Manifest:
    """uv.lock: wheels and sdist carry the hashes."""
    lines = _line_index(text)
    found = []
    for name, package in _packages(text):
        count = _hash_count([*_list(package.get("wheels")), package.get("sdist")])
        found.append(_locked(name, package, lines.get(name), count, _table(package.get("source"))))
    return Manifest("lock", tuple(found))


def pdm_lock(text: str) -> Manifest:
    """pdm.lock: files in each package, in older ones in [metadata.files]."""
    old_files = _table(_table(_toml(text).get("metadata")).get("files"))
    lines = _line_index(text)
    found = []
    for name, package in _packages(text):
        count = _hash_count(package.get("files")) or _hash_count(
            old_files.get(f"{package.get('name')} {package.get('version')}")
        )
        found.append(
            _locked(
                name, package, lines.get(name), count, {k: package[k] for k in ("git", "url", "path") if k in package}
            )
        )
    return Manifest("lock", tuple(found))


def pylock(text: str) -> Manifest:
    """pylock.toml (PEP 751)."""
    lines = _line_index(text)
    found = []
    for name, package in _packages(text, "packages"):
        count = _hash_count([*_list(package.get("wheels")), package.get("sdist"), package.get("archive")])
        source: dict[str, Any] = {}
        if isinstance(package.get("vcs"), dict):
            source = {"git": str(package["vcs"].get("url", ""))}
        elif isinstance(package.get("archive"), dict):
            source = {"url": str(package["archive"].get("url", ""))}
        elif "directory" in package:
            source = {"directory": ""}
        found.append(_locked(name, package, lines.get(name), count, source))
    return Manifest("lock", tuple(found))


def _json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unread("is not JSON") from None
    if not isinstance(data, dict):
        raise Unread("is no lock file of this format")
    return data


def pipfile_lock(text: str) -> Manifest:
    """Pipfile.lock."""
    data, out = _json(text), _Collector(text)
    for section in ("default", "develop"):
        for raw, package in list(_table(data.get(section)).items())[:_MAX]:
            name, table = valid_name(raw), _table(package)
            if not name:
                out.problems.append((0, f"a name in {section} is none"))
                continue
            hashes = len(_list(table.get("hashes")))
            if isinstance(table.get("git"), str):
                out.add(located(name, f"git+{table['git']}", group=section, commit=str(table.get("ref", ""))))
                continue
            version = table.get("version") if isinstance(table.get("version"), str) else ""
            out.add(Dependency(name, str(version), exact_version(str(version)), hashes=hashes, group=section))
    return out.manifest("lock", _pipfile_sources(_table(data.get("_meta")).get("sources")))


def pipfile(text: str) -> Manifest:
    """Pipfile."""
    data, out = _toml(text), _Collector(text)
    for section in ("packages", "dev-packages"):
        _poetry(data.get(section), section, out)
    return out.manifest("project", _pipfile_sources(data.get("source")))


def _pipfile_sources(sources: Any) -> tuple[Index, ...]:
    found = []
    for number, source in enumerate(_list(sources)):
        index = _index(source, "index" if number == 0 else "extra")
        found += [index] if index.url else []
        if _table(source).get("verify_ssl") is False:
            found.append(Index("trusted-host", index.url))
    return tuple(found)


def setup_cfg(text: str) -> Manifest:
    """[options] install_requires and extras of setup.cfg."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except (configparser.Error, ValueError):
        raise Unread("is not an INI file") from None
    out = _Collector(text)
    wanted = [(parser.get("options", "install_requires", fallback=""), "dependencies")]
    wanted.append((parser.get("options", "setup_requires", fallback=""), "build-system"))
    if parser.has_section("options.extras_require"):
        wanted += [(value, f"extra {name}") for name, value in parser.items("options.extras_require")]
    includes: list[tuple[str, int]] = []
    for block, group in wanted:
        for line in (block or "").splitlines():
            text_line = re.sub(r"(^|\s)#.*$", "", line).strip()
            if text_line.startswith("file:"):
                includes += [(name.strip(), out.line(name.strip()) or 1) for name in text_line[5:].split(",")]
            elif text_line:
                out.requirement(text_line, group)
    return replace(out.manifest("project"), includes=tuple(includes))


def conda(text: str) -> Manifest:
    """The pip part of a conda environment: the items under `- pip:`, lines of a requirements file. Conda's own packages
    come from another index and are not matched; they are reported as a problem, so that nobody takes them for read. But
    for the interpreter and its installer, which every such environment names (MLflow's beside each model) and no other
    manifest does.
    """
    dependencies: list[Dependency] = []
    indexes: list[Index] = []
    includes: list[tuple[str, int]] = []
    problems: list[tuple[int, str]] = []
    inside, own, pip_at = False, 0, -1
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw[:2000]).rstrip()
        body = line.lstrip()
        if not body:
            continue
        indent = len(line) - len(body)
        if not body.startswith("-") and indent == 0:
            inside, pip_at = body.startswith("dependencies:"), -1
            continue
        if not inside or not body.startswith("- "):
            continue
        item = body[2:].strip().strip("'\"")
        if pip_at >= 0 and indent > pip_at:
            try:
                entry(item, number, dependencies, indexes, includes)
            except Unread as error:
                problems.append((number, str(error)))
        elif item == "pip:":
            pip_at = indent
        else:
            own, pip_at = own + (re.split(r"[\s=<>!~]", item, maxsplit=1)[0] not in _INTERPRETER), -1
    if own:
        problems.append((0, f"{own} packages come from conda channels, which are not matched"))
    return Manifest("conda", tuple(dependencies), tuple(indexes), tuple(includes), tuple(problems[:200]))
