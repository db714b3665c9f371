"""Every test has caches and state of its own."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no failure: nothing is judged by the time that it takes. The same commit has the same examples
# everywhere; `--hypothesis-profile search` looks for new ones.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("search", settings.get_profile("any machine"), derandomize=False, max_examples=1000)
settings.load_profile("any machine")

# A shell lets jobs in the background ignore interrupts; the tests of Ctrl-C, and what they start, must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path_factory.getbasetemp().parent / "kingfisher"  # compiling its rules takes seconds
    monkeypatch.setenv("KF_RULE_CACHE_DIR", str(shared))
    home: Path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
