"""Personal data in a dataset: e-mail addresses, phone, card, bank and social security numbers.

Options: `max-rows`, `max-megabytes` (limits), `ignore-columns` (names of columns that are not looked at).
Names and postal addresses are not looked for: patterns cannot tell them.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, Context, check
from shipworthy.checks.datasets._personal import Match, personal_data
from shipworthy.checks.datasets._report import Seen, Tally, plural, redact, show
from shipworthy.checks.datasets._tables import LIMITS, as_text, open_table
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity, Skipped

_TAXONOMY = ("CWE-200", "LLM02:2025", "AML.T0057", "A.5.34", "Art. 10")

PERSONAL_DATA = Rule(
    "dataset-personal-data",
    title="The dataset holds personal data",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    description="A model can repeat its training data word for word, and whoever holds the dataset holds the people's "
    "data. Personal data needs a legal basis, a purpose and a way to delete it.",
    remedy="Remove or replace the values (pseudonymise), or record the legal basis and waive the finding by name.",
    taxonomy=_TAXONOMY,
    help="personal-data-in-datasets",
)
SENSITIVE_NUMBERS = Rule(
    "dataset-sensitive-numbers",
    title="The dataset holds card, bank, passport or social security numbers",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    description="These numbers identify people and open accounts; a model can repeat them, and payment card numbers "
    "fall under PCI DSS wherever they lie.",
    remedy="Delete the values or replace them by tokens, find out where they came from, and treat copies as a leak.",
    taxonomy=_TAXONOMY,
    help="personal-data-in-datasets",
)

_NAMES = {
    "email": "e-mail address",
    "phone": "phone number",
    "card": "payment card number",
    "iban": "bank account number (IBAN)",
    "ssn": "US social security number",
    "passport": "passport number",
    "ip": "public IP address",
}
_LEAST = 6  # characters, as in a@b.co
_LEAST_DIGITS = 8  # a number alone: what has fewer digits is nobody's
_SENSITIVE = frozenset({"card", "iban", "ssn", "passport"})


@check(
    "dataset-personal-data",
    kinds={"dataset"},
    version=2,
    options={**LIMITS, "ignore-columns": []},
    timeout=180,
    canary=Canary(
        files={"people.csv": b"name,iban\nA,DE89370400440532013000\nB,GB29NWBK60161331926819\n"},
        rule="dataset-sensitive-numbers",
    ),
)
def scan(artifact: Artifact, context: Context) -> Iterator[Finding | Skipped]:
    """One finding for every column and type."""
    table = open_table(artifact, context.options)
    ignored = frozenset(context.options["ignore-columns"])
    tally = Tally()
    digits: dict[str, int] = {}
    for row in table:
        for name, value in row.longer(_LEAST):
            if name in ignored or value is None or isinstance(value, (bool, float)):
                continue
            if isinstance(value, str) and len(value) < _LEAST_DIGITS and value.isdigit():
                continue
            matches, looked_like_cards = personal_data(as_text(value), name)
            if looked_like_cards:
                digits[name] = digits.get(name, 0) + looked_like_cards
            for match in matches:
                tally.add(name, match.kind + (" test" if match.test else ""), row.number, _example(match))
    for (column, kind), seen in tally.items():
        yield _finding(artifact, column, kind, seen, table.rows, digits.get(column, 0))
    yield from table.skipped()


def _example(match: Match) -> str:
    if match.kind == "email":
        local, _, domain = match.text.partition("@")
        return f"{show(local[:1])}…@{show(domain, 40) if match.test else '…' + show(domain[-4:])}"
    return redact(match.text)


def _finding(artifact: Artifact, column: str, kind: str, seen: Seen, rows: int, digits: int) -> Finding:
    base, _, test = kind.partition(" ")
    rule = SENSITIVE_NUMBERS if base in _SENSITIVE else PERSONAL_DATA
    severity, confidence, note = rule.severity, rule.confidence, ""
    share = seen.count / max(1, rows)
    if test:
        severity, note = Severity.LOW, " of the kind reserved for examples and tests"
    elif base == "ip":
        severity = Severity.LOW
    elif base == "card" and digits > 20 and seen.values < 0.3 * digits:
        # One in ten random numbers passes the Luhn check: a column of identifiers is not a column of cards.
        severity, confidence = Severity.LOW, Confidence.LOW
        note = f" (of {digits:,} numbers of that length: probably chance)"
    elif base == "card":
        confidence = Confidence.HIGH if seen.count >= 3 else Confidence.MEDIUM
    elif base in ("email", "phone") and seen.count >= 100 and share >= 0.5:
        severity = Severity.HIGH  # a column about people, not a passing mention
    elif base in ("email", "phone") and seen.count < 5 and share < 0.01:
        severity = Severity.LOW
    what = plural(seen.values, _NAMES[base], _NAMES[base].replace("address", "addresses").replace("number", "numbers"))
    return rule.at(
        artifact,
        f"column {show(column)}: {what}{note} in {plural(seen.count, 'row')}: {seen.where()}",
        evidence=seen.example,
        key=f"{column}|{kind}",
        severity=severity,
        confidence=confidence,
        row=seen.rows[0],
        field=show(column),
    )
