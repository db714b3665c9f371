"""Reading a settings file: strict, and with errors that name the line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from shipworthy.config.options import NO_DATE
from shipworthy.config.settings import Protect, Settings, Waiver
from shipworthy.config.signing import PolicyFile, Trust
from shipworthy.config.text import NUMBERS, SITE, line_of
from shipworthy.errors import UsageError
from shipworthy.files import open_plain
from shipworthy.model.roles import ROLE_OF, ROLES
from shipworthy.paths import is_there
from shipworthy.patterns import ill_formed
from shipworthy.records import replace

FILE_NAME = "shipworthy.toml"
GATES = ("before-train", "before-sign", "before-build", "before-release", "after-deploy", "scan")
_SIZE_LIMIT = 1024 * 1024
_SIGNATURES = 16
_DAYS = 36_500
_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date such as 2027-01-31",
}


def find_settings(folder: Path) -> Path | None:
    """The settings file of a folder: `shipworthy.toml`, or `pyproject.toml` if it has `[tool.shipworthy]`."""
    own = folder / FILE_NAME
    if is_there(own):
        return own
    pyproject = folder / "pyproject.toml"
    if (
        is_there(pyproject)
        and pyproject.is_file()
        and "shipworthy" in _parse(pyproject, _read(pyproject)).get("tool", {})
    ):
        return pyproject
    return None


def load_settings(path: Path | None) -> Settings:
    """Read a settings file; None gives the defaults.

    Raises UsageError for anything that is not as `docs/settings.md` says.
    """
    if path is None:
        return Settings(digest=_digest(b""))
    text = _read(path)
    table = _parse(path, text)
    prefix: tuple[str, ...] = ()
    if path.name == "pyproject.toml":
        table, prefix = table.get("tool", {}).get("shipworthy", {}), ("tool", "shipworthy")
    reader = _Reader(path, text, prefix)
    settings: Settings = reader.build(Settings, table, ())
    reader.check(settings)
    return replace(settings, digest=_digest(text.encode()), source=path)


def load_policy(path: Path) -> tuple[bytes, PolicyFile]:
    """Read a policy file: its bytes, and what it says. Raises UsageError for anything that is not as `docs/verify.md`
    says, and without a name or a version.
    """
    if not is_there(path):
        raise UsageError("there is no such policy", where=str(path))
    text = _read(path)
    reader = _Reader(path, text, ())
    policy: PolicyFile = reader.build(PolicyFile, _parse(path, text), ())
    if not policy.name or policy.version < 1:
        remedy = 'such as name = "releases" and version = 1'
        raise reader.fail((), "a policy needs a `name`, and a `version` from 1", remedy)
    reader.check_trust(policy.trust)
    return text.encode(), policy


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _read(path: Path) -> str:
    try:
        with open_plain(path) as stream:
            data = stream.read(_SIZE_LIMIT + 1)
        if len(data) > _SIZE_LIMIT:
            raise UsageError("the settings file is larger than 1 MiB", where=str(path))
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 at byte {error.start}", where=str(path), remedy="save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"not valid TOML: {error}", where=str(path), remedy="see https://toml.io for the syntax"
        ) from None


class _Reader:
    """Turns tables into dataclasses, with errors that name the line."""

    def __init__(self, path: Path, text: str, prefix: tuple[str, ...]) -> None:
        self.path, self.text, self.prefix = path, text, prefix

    def fail(self, keys: tuple[str | int, ...], message: str, remedy: str = "") -> UsageError:
        line = line_of(self.text, (*self.prefix, *keys))
        where = f"{self.path.name}:{line}" if line else self.path.name
        return UsageError(message, where=where, remedy=remedy or "docs/settings.md lists every key")

    def build(self, kind: Any, table: Any, keys: tuple[str | int, ...]) -> Any:
        if not isinstance(table, dict):
            raise self.fail(keys, f"{_dotted(keys)} must be a table")
        from dataclasses import fields

        hints = get_type_hints(kind)
        known = {
            item.name.rstrip("_").replace("_", "-"): item for item in fields(kind) if not item.metadata.get("internal")
        }
        values: dict[str, Any] = {}
        for key, value in table.items():
            item = known.get(key)
            if item is None:
                near = _near(key, known)
                hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"
                raise self.fail((*keys, key), f"unknown key `{_dotted((*keys, key))}`", hint)
            values[item.name] = self.value(hints[item.name], value, (*keys, key))
        return kind(**values)

    def value(self, hint: Any, value: Any, keys: tuple[str | int, ...]) -> Any:
        from dataclasses import is_dataclass

        origin, args = get_origin(hint), get_args(hint)
        if origin in (Union, UnionType):
            return self.value(next(a for a in args if a is not type(None)), value, keys)
        if is_dataclass(hint):
            return self.build(hint, value, keys)
        if origin is tuple:
            if not isinstance(value, list):
                raise self.fail(keys, f"`{_dotted(keys)}` must be a list")
            return tuple(self.value(args[0], each, (*keys, index)) for index, each in enumerate(value))
        if origin is Mapping:
            if not isinstance(value, dict):
                raise self.fail(keys, f"`{_dotted(keys)}` must be a table")
            return {key: self.value(args[1], each, (*keys, key)) for key, each in value.items()}
        if hint is Any:
            return value
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is not hint:
            raise self.fail(keys, f"`{_dotted(keys)}` must be {_WORDS.get(hint, hint)}, not {_shown(value)}")
        return value

    def check(self, settings: Settings) -> None:
        """What types cannot say."""
        self._one_of(settings.pipeline, ("ml", "dev", "all"), ("pipeline",))
        for name, gate in settings.gates.items():
            self._one_of(
                gate.fail_on, ("info", "low", "medium", "high", "critical", "never"), ("gates", name, "fail-on")
            )
            self._one_of(gate.min_confidence, ("low", "medium", "high"), ("gates", name, "min-confidence"))
            self._one_of(name, GATES, ("gates", name))
        for step in ("train", "evaluate"):
            given = getattr(settings, step)
            if given is not None:
                self._one_of(given.sandbox, ("no-network", "strict", "none"), (step, "sandbox"))
                if not given.command:
                    raise self.fail((step,), f"`{step}.command` is missing", 'such as command = ["python", "train.py"]')
        self._one_of(settings.image.engine, ("auto", "buildah", "podman", "docker", "builtin"), ("image", "engine"))
        self._protect(settings.protect)
        for role in settings.sign.keys:
            self._one_of(role, tuple(ROLES), ("sign", "keys", role))
        self.check_trust(settings.trust)
        self._numbers(settings)
        for index, reported in enumerate(settings.import_.reports):
            at = ("import", "reports", index)
            if not reported.tool or not reported.path:
                raise self.fail(
                    at, "a report needs `tool` and `path`", 'such as { tool = "trivy", path = "trivy.json" }'
                )
            self._one_of(reported.stage, ("", "scan", "test"), (*at, "stage"))
        for index, waiver in enumerate(settings.waivers):
            self._waiver(waiver, index)
        if (wrong := ill_formed(settings.scan.trust)) is not None:
            at = ("scan", "trust", settings.scan.trust.index(wrong))
            raise self.fail(at, f"`{wrong}` is no pattern of module:name", 'such as "mypackage.models:*"')
        if settings.hub.site and not SITE.fullmatch(settings.hub.site):
            raise self.fail(
                ("hub", "site"), "`hub.site` is no address of a site", 'such as site = "https://docs.example.org/hub"'
            )
        if settings.train and settings.train.early_stopping:
            self._one_of(settings.train.early_stopping.mode, ("min", "max"), ("train", "early-stopping", "mode"))

    def check_trust(self, trust: Trust) -> None:
        """Roles and steps that there are; numbers that can be."""
        for role in trust.keys:
            self._one_of(role, tuple(ROLES), ("trust", "keys", role))
        self._days(trust.max_age_days, ("trust", "max-age-days"))
        self._days(trust.revocations_max_age_days, ("trust", "revocations-max-age-days"))
        for step, demand in trust.steps.items():
            self._one_of(step, tuple(ROLE_OF), ("trust", "steps", step))
            for role in demand.roles:
                self._one_of(role, tuple(ROLES), ("trust", "steps", step, "roles"))
            self._days(demand.max_age_days, ("trust", "steps", step, "max-age-days"))
            if not 1 <= demand.signatures <= _SIGNATURES:
                at = ("trust", "steps", step, "signatures")
                raise self.fail(at, f"`{_dotted(at)}` must be from 1 to {_SIGNATURES}")

    def _days(self, value: int, at: tuple[str, ...]) -> None:
        if not 0 <= value <= _DAYS:
            raise self.fail(at, f"`{_dotted(at)}` must be from 0 (any age) to {_DAYS}")

    def _numbers(self, settings: Settings) -> None:
        """What is less than nothing, or more than any machine has, is a mistake, or meant to break something."""
        for keys, low, high in NUMBERS:
            value: Any = settings
            for key in keys:
                value = getattr(value, key.replace("-", "_"), None)
            if value is not None and not low <= value <= high:
                raise self.fail(
                    keys,
                    f"`{_dotted(keys)}` is {str(value)[:30]}; it must be from {low} to {high}",
                    "see docs/settings.md",
                )

    def _protect(self, given: Protect) -> None:
        for name in ("mode", "answers"):
            self._one_of(getattr(given, name), ("block", "watch", "off"), ("protect", name))
        for name in ("burst", "concurrent", "body", "depth"):
            if getattr(given, name) < 1:
                raise self.fail(("protect", name), f"`protect.{name}` is less than one", "leave it out for the default")
        for name in ("rate", "volume"):
            if not getattr(given, name) >= 0:  # also what is no number
                raise self.fail(("protect", name), f"`protect.{name}` is less than zero", "0 is no limit")
        if not 0 < given.seconds <= 3600:
            raise self.fail(
                ("protect", "seconds"), "`protect.seconds` must be more than 0, at most 3600", "such as 30.0"
            )

    def _waiver(self, waiver: Waiver, index: int) -> None:
        for name in ("rule", "owner", "reason"):
            if not getattr(waiver, name).strip():
                raise self.fail(
                    ("waivers", index), f"a waiver needs `{name}`", "`shipworthy waive` writes a complete one"
                )
        if not waiver.path and not waiver.fingerprint:
            raise self.fail(
                ("waivers", index), "a waiver needs `path` or `fingerprint`", 'path = "**" waives the rule everywhere'
            )
        if waiver.until == NO_DATE:
            raise self.fail(("waivers", index), "a waiver needs `until`, its last day", "such as until = 2027-01-31")

    def _one_of(self, value: str, allowed: tuple[str, ...], keys: tuple[str | int, ...]) -> None:
        if value not in allowed:
            near = _near(value, allowed)
            hint = f"did you mean `{near[0]}`?" if near else ""
            raise self.fail(keys, f"`{_dotted(keys)}` is `{value}`; it must be one of: {', '.join(allowed)}", hint)


def _dotted(keys: tuple[str | int, ...]) -> str:
    return ".".join(f"[{key + 1}]" if isinstance(key, int) else key for key in keys)


def _shown(value: object) -> str:
    """Numbers as they are; of texts only that they are: they may be passwords."""
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else str(value)


def _near(word: str, known: Iterable[str]) -> list[str]:
    import difflib

    return difflib.get_close_matches(word, list(known), 1)
