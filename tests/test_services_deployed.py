"""How a service is deployed: its ports, its container, its certificate, and what OpenSCAP said of it."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services_world import look
from shipworthy.check import Skipped
from shipworthy.checks.services import open_ports
from shipworthy.checks.services._nmap import parse_nmap
from shipworthy.model import Finding, Severity
from shipworthy.tools import ToolFailed


def ports(folder: Path, **info: object) -> tuple[dict[str, Severity], list[Skipped]]:
    found, skipped = look(folder, "open-ports", 1, **info)  # type: ignore[arg-type]
    return {f"{f.location.field} {f.rule.id}": f.severity for f in found}, skipped


def test_what_listens_inside_and_is_not_expected_is_found(tmp_path: Path) -> None:
    seen = [["0.0.0.0", 8080], ["127.0.0.1", 5678], ["::", 4000], ["127.0.0.1", 4001]]
    found, skipped = ports(tmp_path, listening=seen, expected_ports=[8080])
    assert found == {
        "port 5678 open-debug-port": Severity.HIGH,
        "port 4000 open-unexpected-port": Severity.MEDIUM,
        "port 4001 open-unexpected-port": Severity.LOW,
    }
    assert not skipped
    assert ports(tmp_path, listening=[["0.0.0.0", 8080]], expected_ports=[8080]) == ({}, [])


def test_without_a_view_from_inside_or_outside_nothing_is_clean(tmp_path: Path) -> None:
    assert "nobody looked inside" in ports(tmp_path)[1][0].reason


def test_every_port_of_an_address_of_its_own_is_tried(tmp_path: Path) -> None:
    """On an address of the loopback network that nobody else uses."""
    host = "127.45.67.89"
    with socket.create_server((host, 0)) as one, socket.create_server((host, 0)) as two:
        numbers = one.getsockname()[1], two.getsockname()[1]
        every, left = open_ports.open_ports(host, 60, 2.0)
        assert set(numbers) <= set(every), "others may listen on every address of the machine"
        assert not left
        assert open_ports.open_ports(host, 0.0, 2.0)[1] > 65_000
        found, skipped = look(
            tmp_path, "open-ports", 1, scan_host=host, expected_ports=[p for p in every if p != numbers[1]]
        )
    assert {f.location.field for f in found} == {f"port {numbers[1]}"}
    assert not skipped
    if shutil.which("nmap"):
        assert found[0].witnesses == ("nmap",)


HEAD = '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap">'
END = '<runstats><finished exit="success"/><hosts up="1"/></runstats></nmaprun>'


def port(number: int, state: str = "open") -> str:
    return f'<port protocol="tcp" portid="{number}"><state state="{state}" reason="syn-ack"/></port>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [("", ()), (port(22), (22,)), ("".join(port(n) for n in (9, 1, 5)) + port(7, "filtered"), (1, 5, 9))],
)
def test_nmap_reports_of_none_one_and_many(inner: str, expected: tuple[int, ...]) -> None:
    text = f'{HEAD}<host><status state="up"/><ports>{inner}</ports></host>{END}'
    assert parse_nmap(text.encode()).ports == expected


def test_nmap_reports_that_are_cut_unfinished_or_odd_are_refused() -> None:
    whole = f"{HEAD}<host><ports>{port(22)}</ports></host>{END}"
    for cut in range(len(whole) - 1):
        with pytest.raises(ToolFailed):
            parse_nmap(whole[:cut].encode())
    for text in (
        whole.replace("success", "error"),
        "<html/>",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + whole[21:],
    ):
        with pytest.raises(ToolFailed):
            parse_nmap(text.encode())
    assert parse_nmap(f"{HEAD}{END}".encode()).reason
    assert parse_nmap(whole.replace("<host>", '<host timedout="true">').encode()).reason


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_nmap_reports(data: bytes) -> None:
    with pytest.raises(ToolFailed):
        parse_nmap(data)


# --- the container --------------------------------------------------------------------------------------------------

SAFE = {
    "user": 10001,
    "root": "read-only",
    "capabilities": [],
    "no-new-privileges": True,
    "seccomp": True,
    "network": "loopback only",
    "limits-by-control-groups": [],
    "limits-by-rlimits": ["memory", "processes"],
}
CONFIG = {"config": {"User": "10001", "Env": ["PATH=/usr/bin", "TOKEN_FILE=/run/x", "API_KEY="]}}


def hardening(folder: Path, config: object = CONFIG, **changes: object) -> tuple[dict[str, Finding], list[Skipped]]:
    run = {key: value for key, value in {**SAFE, **changes}.items() if value is not None}
    found, skipped = look(folder, "container-hardening", 1, image_config=config, runtime=run)  # type: ignore[arg-type]
    return {f.rule.id: f for f in found}, skipped


def test_a_hardened_container_is_clean(tmp_path: Path) -> None:
    assert hardening(tmp_path) == ({}, [])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"user": 0}, "container-root"),
        ({"root": "writable"}, "container-writable-root"),
        ({"capabilities": ["CAP_NET_ADMIN"]}, "container-capabilities"),
        ({"no-new-privileges": False}, "container-new-privileges"),
        ({"seccomp": False}, "container-no-seccomp"),
        ({"network": "host"}, "container-host-network"),
        ({"limits-by-rlimits": []}, "container-no-limits"),
    ],
)
def test_each_hole_in_how_it_is_run_is_found(tmp_path: Path, changes: dict[str, object], rule: str) -> None:
    found, skipped = hardening(tmp_path, **changes)
    assert set(found) == {rule}
    assert not skipped


def test_the_images_configuration(tmp_path: Path) -> None:
    found, _ = hardening(tmp_path, {"config": {"Env": ["DB_PASSWORD=hunter2secret"]}}, user=None)
    assert set(found) == {"container-root", "container-secret-in-environment"}
    assert "hunter2" not in repr(found)
    found, _ = look(tmp_path, "container-hardening", 1, image_config={"config": {"User": "1"}}, runtime=SAFE, health="")
    assert [f.rule.id for f in found] == ["container-no-health-check"]


def test_what_is_not_known_of_the_container_is_skipped(tmp_path: Path) -> None:
    found, skipped = look(tmp_path, "container-hardening", 1)
    assert not found
    assert len(skipped) == 3
