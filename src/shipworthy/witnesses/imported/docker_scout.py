"""Docker Scout: vulnerabilities of an image, as SARIF."""

from __future__ import annotations

from shipworthy.witnesses.claims import UnreadableReport
from shipworthy.witnesses.documents import json_object
from shipworthy.witnesses.imported._shared import sarif_of
from shipworthy.witnesses.statements import Report, Source


def read(raw: bytes) -> Report:
    """`docker scout cves --format sarif`."""
    report = sarif_of(json_object(raw), "docker scout")
    if report is None:
        raise UnreadableReport("it is not the SARIF that Docker Scout writes")
    return report


SOURCE = Source(
    title="Docker Scout",
    form="SARIF",
    command="docker scout cves --format sarif --output report.sarif IMAGE",
    category="images",
    read=read,
    tried="documented",
    stage="test",
)
