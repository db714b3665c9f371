"""What shell scripts of any CI system do that needs a second look."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.patterns import regex

LINE_LIMIT = 4_000
_FETCH = r"(?:curl|wget|fetch|iwr|irm|invoke-webrequest|invoke-restmethod)\b"
# `curl … | sh`, `bash <(curl …)`, `sh -c "$(curl …)"`, `iex (iwr …)`
_PIPED = regex(
    rf"(?i)\b{_FETCH}[^|;&\n]{{0,600}}\|\s{{0,9}}(?:sudo\s{{1,9}}(?:-\w{{1,9}}\s{{1,9}}){{0,3}})?"
    r"(?:env\s{1,9})?(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?(?:sh|python[\d.]{0,5}|perl|ruby|node|iex)\b"
)
_SUBSTITUTED = regex(
    rf"(?i)\b(?:(?:ba|z|da)?sh|source|eval|python[\d.]{{0,5}})\s[^\n;|&]{{0,40}}[<$`]\(?\s{{0,9}}{_FETCH}"
)
_ICM = regex(rf"(?i)\b(?:iex|invoke-expression)\b[^\n;|]{{0,60}}{_FETCH}")
_PLAIN_HTTP = regex(
    r"(?i)\b(?:curl|wget)\b[^|;&\n]{0,300}\bhttp://(?!localhost\b|127\.|\[::1\]|0\.0\.0\.0)[\w.-]{1,100}"
)
_INSECURE = regex(
    r"(?i)\b(?:curl\b[^|;&\n]{0,200}\s(?:-[a-z]{0,6}k[a-z]{0,6}|--insecure)\b|wget\b[^|;&\n]{0,200}--no-check-certificate)"
)
_PRIVILEGED = regex(
    r"\b(?:docker|podman|nerdctl)\b[^\n;|&]{0,300}\s(?:--privileged\b(?!=false)|--pid[= ]host\b|"
    r"(?:-v|--volume|--mount)[= ]?[^\s]{0,40}/var/run/docker\.sock|--cap-add[= ](?:ALL|SYS_ADMIN)\b)"
)


def lines(script: str) -> Iterator[tuple[int, str]]:
    """The logical lines of a script (a backslash joins) with where they begin in it; comments are left out."""
    position, joined, begin = 0, "", 0
    for raw in script.splitlines(keepends=True):
        line = raw.rstrip("\r\n")
        if not joined:
            begin = position
        position += len(raw)
        if line.endswith("\\"):
            joined += line[:-1][:LINE_LIMIT] + " "
            continue
        whole = (joined + line)[:LINE_LIMIT]
        joined = ""
        if not whole.lstrip().startswith("#"):
            yield begin, whole
    if joined:
        yield begin, joined


def fetched_and_run(line: str) -> bool:
    """Whether what is fetched from the network is run at once."""
    return bool(_PIPED.search(line) or _SUBSTITUTED.search(line) or _ICM.search(line))


def unprotected(line: str) -> bool:
    """Whether something is fetched over http, or with certificates unverified."""
    return bool(_PLAIN_HTTP.search(line) or _INSECURE.search(line))


def privileged(line: str) -> bool:
    """Whether a container is started with its host's rights."""
    return bool(_PRIVILEGED.search(line))


_CREDENTIAL = regex(
    r"(?i)(?:^|[_-])(?:password|passwd|pwd|secret|token|api_?key|private_?key|access_?key)(?:$|[_-](?:id)?$)"
)
_REFERENCE = regex(
    r"\$|\{\{|<[A-Za-z]|^(?:true|false|null|none|\d{0,6}|\*+|x+|test|example|changeme|changeit|dummy|postgres|root|password|secret|placeholder)$"
)


def hard_coded(name: str, value: str) -> bool:
    """Whether a variable by its name holds a credential and its value is one: no reference, no placeholder."""
    return (
        _CREDENTIAL.search(name[:100]) is not None
        and 6 <= len(value) <= 500
        and _REFERENCE.search(value.strip().lower()) is None
        and " " not in value.strip()
        and not value.strip().startswith(("/", "./", "~", "http", "arn:", "vault:"))
    )
