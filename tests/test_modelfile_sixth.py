"""What the sixth held-out set of honest models found wrong with the rules, and the attacks by the same ways."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from shipworthy.modelfile import Verdict, scan_bytes

MODELS = Path(__file__).parent / "data" / "models"
FOUND = ("high", "critical")


def test_a_tree_that_dill_wrote_is_followed() -> None:
    """dill makes each array by a function of its own, behind which the nodes of trees could not be seen."""
    raw = (MODELS / "pickles" / "sixth2-sklearn.DecisionTreeRegressor--dill.pkl").read_bytes()
    assert scan_bytes(raw).verdict is Verdict.CLEAN
    first = (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert raw.count(first) == 1
    for children in ((0, 2), (1, 77), (-9, 2)):  # round and round; out of the array
        places = b"".join(child.to_bytes(8, "little", signed=True) for child in children)
        assert scan_bytes(raw.replace(first, places)).worst in FOUND


def test_columns_of_old_releases_of_arrow_are_described_twice() -> None:
    """Before Arrow 17 a copy of what the footer says of a column stands behind the column."""
    raw = (MODELS / "columnar" / "arrow15.parquet").read_bytes()
    assert scan_bytes(raw).verdict is Verdict.CLEAN
    start = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    at = next(place for place in range(start) if raw[place : place + 60] in raw[start:])
    hidden = raw[: at + 20] + bytes([raw[at + 20] ^ 1]) + raw[at + 21 :]
    report = scan_bytes(hidden)
    assert report.worst == "medium"
    assert "belong to no column" in report.issues[0].message


@pytest.mark.parametrize(
    ("attribute", "verdict"), [("type", Verdict.CLEAN), ("n", Verdict.CLEAN), ("run", Verdict.UNKNOWN)]
)
def test_an_array_of_pmml_has_the_attributes_of_its_type(attribute: str, verdict: Verdict) -> None:
    cluster = f'<Cluster><Array {attribute}="1">0.5</Array></Cluster>'
    model = f'<ClusteringModel functionName="clustering">{cluster}</ClusteringModel>'
    start = '<?xml version="1.0"?><PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">'
    text = f"{start}<Header/><DataDictionary/>{model}</PMML>"
    assert scan_bytes(text.encode()).verdict is verdict


def test_what_coremltools_left_in_memory_is_told_and_no_more() -> None:
    raw = next((MODELS / "coreml" / "program.mlpackage").rglob("weight.bin")).read_bytes()
    assert scan_bytes(raw[:96] + b"\x01\x07" * 8 + raw[112:]).worst == "low"
    assert scan_bytes(raw + bytes(64) + b"PK\3\4" * 16).worst in ("medium", *FOUND)


def test_what_torchs_own_optimizer_for_mobile_devices_calls() -> None:
    """torch 1.12: `optimize_for_mobile` of a script calls XNNPACK by operators of torch's own."""
    raw = (MODELS / "pickles" / "sixth-mobile.pt").read_bytes()
    assert scan_bytes(raw).worst not in FOUND
    with zipfile.ZipFile(io.BytesIO(raw)) as old:
        members = {name: old.read(name).replace(b"ops.prepacked.", b"ops.packedup.") for name in old.namelist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as new:
        for name, body in members.items():
            new.writestr(name, body)
    assert any("none of torch's own" in issue.message for issue in scan_bytes(stream.getvalue()).issues)
