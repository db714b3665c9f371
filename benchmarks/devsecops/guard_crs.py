"""What the guard refuses of the requests by which the OWASP Core Rule Set tests its own rules.

    python benchmarks/devsecops/guard_crs.py --checkout CORERULESET [--show 932]

CORERULESET is a clone of coreruleset/coreruleset (Apache-2.0; nothing of it is kept here), read at the commit below.
Counted are the requests of which a test says that one of the rules of its own file sees them, by the number of that
file. Many of these rules are of the higher levels of paranoia, which see what is no attack by itself (a word, a run of
punctuation): a share of 1 is not the aim. The tests that no rule shall see are for one rule each, and say nothing here.
"""

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from guard_unseen import git

from shipworthy.guard.runtime import Guard, Policy
from shipworthy.guard.runtime.policy import Request

COMMIT = "2cbd1d019"
FOLDER = "tests/regression/tests/"
TITLES = {
    "921200": "LDAP (921200)", "930": "files (930)", "931": "remote files (931)", "932": "shell (932)",
    "933": "PHP (933)", "934": "templates and others (934)", "941": "markup (941)", "942": "SQL (942)",
    "944": "Java (944)",
}  # fmt: skip


def requests(checkout: Path) -> Iterator[tuple[str, Request]]:
    """The number of the rule, and a request that it sees."""
    for path in git(checkout.parent, checkout.name, "ls-tree", "-r", "--name-only", COMMIT, FOLDER).splitlines():
        rule = path.rpartition("/")[2].removesuffix(".yaml")
        if not path.endswith(".yaml") or not rule.startswith(tuple(TITLES)):
            continue
        for test in yaml.safe_load(git(checkout.parent, checkout.name, "show", f"{COMMIT}:{path}")).get("tests", ()):
            for stage in test.get("stages", ()):
                if int(rule) in (stage.get("output", {}).get("log") or {}).get("expect_ids", ()):
                    yield rule, _request(stage["input"])


def _request(given: dict[str, Any]) -> Request:
    headers = tuple((str(name).lower(), str(value)) for name, value in (given.get("headers") or {}).items())
    body = str(given.get("data") or "").encode()
    if body and not any(name == "content-type" for name, _ in headers):
        headers += (("content-type", "application/x-www-form-urlencoded"),)
    return Request(str(given.get("method", "GET")), str(given.get("uri", "/")), headers, body, "192.0.2.1")


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--show", default="", help="print what was missed of rules that begin so, the half read since")
    options = parser.parse_args()
    guard = Guard(Policy())
    counts: dict[tuple[str, bool], list[int]] = {}
    for rule, request in requests(options.checkout):
        key = next(start for start in TITLES if rule.startswith(start))
        read = hashlib.sha256(request.target.encode() + request.body).digest()[0] % 2 == 0
        refused = bool(guard.judge(request).hits)
        counts.setdefault((key, read), []).append(refused)
        if options.show and read and not refused and rule.startswith(options.show):
            print(f"    {rule} {request.target[:150]!r} {request.body[:200]!r}")
    print("| requests | half that may be read | other half |\n|---|---:|---:|")
    for key, title in TITLES.items():
        row = f"| {title} |"
        for read in (True, False):
            found = counts.get((key, read), [])
            row += f" {sum(found)}/{len(found)} = {sum(found) / max(len(found), 1):.3f} |"
        print(row)


if __name__ == "__main__":
    main()
