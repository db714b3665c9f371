"""The engine runs checks that hang, die, eat memory and lie, and never takes any of it for clean."""

import contextlib
import multiprocessing.forkserver
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import odd_checks
from shipworthy.artifacts import discover
from shipworthy.check import Check, checks_of
from shipworthy.config import Gate, Scan, Settings
from shipworthy.engine.cache import Cache
from shipworthy.engine.checks import CheckRunner
from shipworthy.engine.events import Events
from shipworthy.engine.selection import select
from shipworthy.errors import UsageError
from shipworthy.model import CheckResult, Outcome

CHECKS = {check.name: check for check in checks_of(odd_checks)}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    made = Cache(tmp_path / "cache")
    yield made
    made.close()


def look(folder: Path, name: str = "odd", cache: Cache | None = None, settings: Settings | None = None) -> CheckResult:
    check: Check = CHECKS[name]
    with CheckRunner(settings or Settings(scan=Scan(memory_mb=512)), folder, cache or Cache(None), Events()) as runner:
        return runner.run((check,), discover(folder))[0]


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def test_findings_and_coverage_are_told(tmp_path: Path) -> None:
    result = look(write(tmp_path / "w", one="bad thing", two="fine"))
    assert result.outcome is Outcome.RAN
    assert [f.artifact.uri for f in result.findings] == ["one.txt"]
    assert result.findings[0].check == "odd"
    assert result.examined == {"one.txt", "two.txt"}
    assert result.eligible == 2


@pytest.mark.parametrize(("text", "says"), [("hang", "took longer"), ("die", "process died"), ("eat", "memory")])
def test_a_file_that_stops_its_reader_is_a_finding_and_the_rest_is_read(tmp_path: Path, text: str, says: str) -> None:
    result = look(write(tmp_path / "w", a="fine", m=text, z="bad thing"))
    assert result.outcome is Outcome.PARTIAL
    assert result.examined == {"a.txt", "z.txt"}
    found = {f.artifact.uri: f for f in result.findings}
    assert found["m.txt"].rule.id == "check-stopped"
    assert says in found["m.txt"].message
    assert found["z.txt"].rule.id == "said-bad"


def test_a_check_that_breaks_is_failed_and_does_not_tell_what_the_file_holds(tmp_path: Path) -> None:
    result = look(write(tmp_path / "w", only="break hunter2secret"))
    assert result.outcome is Outcome.FAILED
    assert not result.examined
    assert "ValueError" in result.note
    assert "hunter2secret" not in repr(result)


def test_endless_recursion_is_survived(tmp_path: Path) -> None:
    result = look(write(tmp_path / "w", deep="recurse", fine="fine"))
    assert result.outcome is Outcome.PARTIAL
    assert result.examined == {"fine.txt"}


def test_a_flood_of_findings_is_bounded_and_said(tmp_path: Path) -> None:
    result = look(write(tmp_path / "w", much="flood"))
    assert 0 < len(result.findings) <= 5_000
    assert "more than" in result.skipped[0].reason


def test_a_flood_in_one_file_of_a_batch_hides_no_other_file(tmp_path: Path, cache: Cache) -> None:
    folder = write(tmp_path / "w", a="flood", b="bad thing", c="fine")
    for _ in range(2):  # nor does the cache take it for clean
        result = look(folder, "odd-batch", cache, Settings(scan=Scan(jobs=1)))
        assert {f.artifact.uri for f in result.findings} == {"a.txt"}
        assert result.examined == {"c.txt"}
        assert {skip.artifact.uri for skip in result.skipped if skip.artifact} == {"a.txt", "b.txt"}


def test_skipped_is_not_clean(tmp_path: Path) -> None:
    result = look(write(tmp_path / "w", one="skip", two="fine"))
    assert result.outcome is Outcome.PARTIAL
    assert look(write(tmp_path / "v", one="skip")).outcome is Outcome.FAILED


def test_nothing_to_look_at_is_not_applicable(tmp_path: Path) -> None:
    assert look(write(tmp_path / "w")).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("none", Outcome.RAN),
        ("bad", Outcome.RAN),
        ("unavailable", Outcome.UNAVAILABLE),
        ("not-applicable", Outcome.NOT_APPLICABLE),
    ],
)
def test_a_check_of_the_tree(tmp_path: Path, answer: str, outcome: Outcome) -> None:
    settings = Settings(checks={"odd-tree": {"answer": answer}})
    result = look(write(tmp_path / "w", one="fine"), "odd-tree", settings=settings)
    assert result.outcome is outcome
    assert bool(result.findings) is (answer == "bad")


@pytest.mark.parametrize("name", ["odd", "odd-batch", "odd-tree"])
def test_a_second_run_is_answered_by_the_cache(tmp_path: Path, cache: Cache, name: str) -> None:
    folder = write(tmp_path / "w", one="bad thing", two="fine", three="bad too")
    settings = Settings(checks={"odd-tree": {"answer": "bad"}})
    first = look(folder, name, cache, settings)
    second = look(folder, name, cache, settings)
    assert first.cached == 0
    assert second.cached == (1 if name == "odd-tree" else 3)
    assert {f.fingerprint for f in second.findings} == {f.fingerprint for f in first.findings}
    assert sorted(f.artifact.uri for f in second.findings) == sorted(f.artifact.uri for f in first.findings)
    assert (second.outcome, second.examined) == (first.outcome, first.examined)


def test_what_was_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    folder, first = write(tmp_path / "w", one="bad thing", two="fine"), Cache(tmp_path / "cache")
    look(folder, cache=first)
    first.close()
    second = Cache(tmp_path / "cache")
    assert look(folder, cache=second).cached == 2
    second.close()


def test_what_is_known_of_a_dataset_is_there_from_the_cache_too(tmp_path: Path, cache: Cache) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\ngood day,ham\nwin now,spam\ngood night,ham\n")
    checks = select(Settings(), ("dataset-structure",))
    results = []
    for _ in range(2):
        with CheckRunner(Settings(), folder, cache, Events()) as runner:
            results += runner.run(checks, discover(folder))
    first, second = results
    assert (first.cached, second.cached) == (0, 1)
    assert second.facts == first.facts
    (facts,) = second.facts
    assert (facts.artifact.uri, facts.rows, facts.label_counts) == ("train.csv", 3, (("ham", 2), ("spam", 1)))


def test_what_was_not_used_for_a_month_is_forgotten_once_a_day(tmp_path: Path) -> None:
    Cache(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "results-1.db")) as database:
        for day_of_the_last_time, left in ((None, 1), (0, 0)):
            database.execute("INSERT INTO results VALUES (x'00', '[]', unixepoch() - 86400 * 31)")
            if day_of_the_last_time is not None:
                database.execute(f"PRAGMA user_version = {day_of_the_last_time}")
            database.commit()
            Cache(tmp_path).close()
            assert database.execute("SELECT count(*) FROM results").fetchone() == (left,)
            database.execute("DELETE FROM results")
            database.commit()


def test_a_changed_file_is_looked_at_again(tmp_path: Path, cache: Cache) -> None:
    folder = write(tmp_path / "w", one="fine", two="fine")
    look(folder, cache=cache)
    write(folder, one="bad thing")
    result = look(folder, cache=cache)
    assert result.cached == 1
    assert [f.artifact.uri for f in result.findings] == ["one.txt"]


def test_only_what_ran_is_kept(tmp_path: Path, cache: Cache) -> None:
    folder = write(tmp_path / "w", one="die", two="skip", three="break", four="fine")
    look(folder, cache=cache)
    again = look(folder, cache=cache)
    assert again.cached == 1
    assert again.outcome is Outcome.PARTIAL


def test_two_files_with_the_same_bytes_keep_their_names(tmp_path: Path, cache: Cache) -> None:
    folder = write(tmp_path / "w", one="bad thing", two="bad thing")
    look(folder, cache=cache)
    assert sorted(f.artifact.uri for f in look(folder, cache=cache).findings) == ["one.txt", "two.txt"]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "foreign rows"])
def test_a_damaged_cache_is_no_answer(tmp_path: Path, damage: str) -> None:
    folder = write(tmp_path / "w", one="bad thing")
    first = Cache(tmp_path / "c")
    look(folder, cache=first)
    first.close()
    path = next((tmp_path / "c").glob("*.db"))
    if damage == "garbage":
        path.write_bytes(b"not a database at all" * 100)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        with sqlite3.connect(path) as database:
            database.execute("UPDATE results SET value = '[{}]'")
        database.close()
    second = Cache(tmp_path / "c")
    result = look(folder, cache=second)
    second.close()
    assert len(result.findings) == 1


def test_names_in_the_settings_must_exist() -> None:
    with pytest.raises(UsageError, match="neither a check nor a category"):
        select(Settings(scan=Scan(skip=("secretz",))))
    with pytest.raises(UsageError, match="no check"):
        select(Settings(checks={"nothing": {}}))


@pytest.mark.parametrize(
    ("accepted", "said", "hint"),
    [
        (
            "dependency-vulnerabilites:old-data",
            "no check `dependency-vulnerabilites`",
            "dependency-vulnerabilities:old",
        ),
        ("dependency-vulnerabilities:old-date", "no reason `old-date`", "dependency-vulnerabilities:old-data"),
        ("inventory:sinse", "no reason `sinse`", "inventory:since"),
        ("python-ml:", "no reason ``", "docs/gates.md"),
    ],
)
def test_an_accepted_gap_that_nothing_can_have_is_refused(accepted: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        select(Settings(gates={"scan": Gate(accept_partial=(accepted,))}))
    assert hint in caught.value.remedy
    select(Settings(gates={"scan": Gate(accept_partial=("inventory:since", "python-ml"))}))


def test_a_program_inside_the_workspace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ruff").write_text("#!/bin/sh\n")
    settings = replace(Settings(), tools={"ruff": str(tmp_path / "ruff")})
    with pytest.raises(UsageError, match="outside of the workspace"):
        CheckRunner(settings, tmp_path, Cache(None), Events())


def test_when_the_server_that_starts_workers_is_killed_the_next_worker_has_a_new_one(tmp_path: Path) -> None:
    folder = write(tmp_path / "w", a="fine", m="die", z="bad thing")
    assert look(folder).outcome is Outcome.PARTIAL
    server = multiprocessing.forkserver._forkserver  # type: ignore[attr-defined]
    stopped = server._forkserver_pid
    os.kill(stopped, signal.SIGSTOP)  # alive when it is asked, dead before it answers
    killer = threading.Timer(1.0, os.kill, (stopped, signal.SIGKILL))
    killer.start()
    result = look(folder)
    killer.join()
    assert server._forkserver_pid != stopped
    assert result.outcome is Outcome.PARTIAL
    assert result.examined == {"a.txt", "z.txt"}
