"""What starts a run: the clock, as cron reads it, and files that changed."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.engine.timers import Cron, changed, how_started, snapshot
from shipworthy.errors import UsageError
from story_world import command, record, runs, shipworthy

SUNDAY = datetime(2026, 11, 22, 21, 30, 15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-22 21:31"),
        ("*/15 * * * *", "2026-11-22 21:45"),
        ("0 3 * * mon-fri", "2026-11-23 03:00"),
        ("30 21 * * *", "2026-11-23 21:30"),
        ("0 0 1 * *", "2026-12-01 00:00"),
        ("0 0 1 jan *", "2027-01-01 00:00"),
        ("0 0 29 feb *", "2028-02-29 00:00"),
        ("5,10 4 * * 0", "2026-11-29 04:05"),
        ("5 4 * * 7", "2026-11-29 04:05"),
        ("0 12 13 * fri", "2026-11-27 12:00"),  # both days are limited: either will do
        ("0 22/1 * * *", "2026-11-22 22:00"),
        ("@daily", "2026-11-23 00:00"),
    ],
)
def test_the_next_time_is_the_one_that_cron_means(text: str, expected: str) -> None:
    told = Cron.parse(text).after(SUNDAY)
    assert told is not None
    assert told.isoformat(sep=" ", timespec="minutes") == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("60 * * * *", "no minute"),
        ("* * 0 * *", "no day"),
        ("* * * smarch *", "no month"),
        ("5-1 * * * *", "backwards"),
        ("*/0 * * * *", "no minute"),
        ("0 0 31 feb *", "never comes"),
        ("1" * 500 + " * * * *", "no minute"),
    ],
)
def test_what_is_no_time_is_told_with_its_field(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Cron.parse(text)


@given(
    st.sampled_from(["*/7 * * * *", "0 3 * * mon-fri", "17 4 1,15 * *", "0 0 29 2 *", "1 2 3 4 *", "0 5 10 * sun"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
)
def test_no_minute_between_would_have_done(text: str, moment: datetime) -> None:
    cron = Cron.parse(text)
    told = cron.after(moment)
    assert told is not None
    assert told > moment
    for back in range(1, 200):  # going back minute by minute, none of the skipped ones fits
        between = told - timedelta(minutes=back)
        if between <= moment:
            break
        assert cron.after(between - timedelta(minutes=1)) == told


def test_files_that_change_are_seen_and_what_is_left_out_is_not(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("one")
    (tmp_path / "store").mkdir()
    (tmp_path / ".git").mkdir()

    def look() -> frozenset[tuple[str, int, int]]:
        return snapshot(tmp_path, ("store/", "*.log"))

    before = look()
    assert {name for name, _, _ in before} == {"src/app.py"}
    (tmp_path / "store" / "blob").write_text("new")
    (tmp_path / "run.log").write_text("new")
    (tmp_path / ".git" / "index").write_text("new")
    assert look() == before
    steps = iter(["two", "three"])

    def sleep(_seconds: float) -> None:
        if (text := next(steps, None)) is not None:
            (tmp_path / "src" / "app.py").write_text(text)
            os.utime(tmp_path / "src" / "app.py", ns=(len(text), len(text)))

    after = changed(before, look, sleep, 0.0)
    assert (tmp_path / "src" / "app.py").read_text() == "three", "it waits until nothing changes any more"
    assert after == look()


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, "manual"),
        ({"CI": "true"}, "ci"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"}, "github: pull_request"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "<b>\n"}, "github: b"),
        ({"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "schedule", "CI": "true"}, "gitlab: schedule"),
        ({"JENKINS_URL": "https://ci.example.org/"}, "jenkins"),
        ({"PRE_COMMIT": "1"}, "pre-commit"),
    ],
)
def test_what_started_a_run_is_what_its_environment_tells(env: dict[str, str], told: str) -> None:
    assert how_started(env) == told


def test_a_watched_project_runs_again_when_a_file_changed_and_ends_with_the_last_exit_code(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("one")
    watching = subprocess.Popen(
        command("run", "ml", "--watch"), cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert watching.stderr is not None
    try:
        for change in ("two", ""):
            for line in watching.stderr:
                if "watching for changes" in line:
                    break
            if change:
                (tmp_path / "notes.txt").write_text(change)
        watching.send_signal(signal.SIGINT)
        code = watching.wait(60)
    finally:
        watching.kill()
        watching.stderr.close()
    told = [record(folder)["trigger"]["how"] for folder in runs(tmp_path)]
    assert told == ["watch: start", "watch: files changed"]
    assert code == record(runs(tmp_path)[-1])["exit_code"]


def test_what_does_not_go_with_a_repeated_run_is_refused(tmp_path: Path) -> None:
    for options in (("--watch", "--resume"), ("--cron", "61 * * * *"), ("--cron", "* * * * *", "--output", "x.json")):
        done = shipworthy("run", "ml", *options, cwd=tmp_path)
        assert done.returncode == 2, options
        assert "what to do" in done.stderr
