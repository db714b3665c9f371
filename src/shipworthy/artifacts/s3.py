"""Where an object of an S3 bucket is, and the signature of a request for it (AWS Signature Version 4).

Source: docs.aws.amazon.com, "Authenticating Requests: Using the Authorization Header". Only what reading needs: GET
without a body. Keys of objects are encoded once, as S3 wants it.
"""

from __future__ import annotations

import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shipworthy.errors import UsageError

_EMPTY = hashlib.sha256(b"").hexdigest()
_SAFE = "-_.~"


@dataclass(frozen=True)
class Credentials:
    """An access key; without one, requests are not signed and only public objects can be read."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    region: str = "us-east-1"


def credentials(env: Mapping[str, str]) -> Credentials | None:
    """The key that the environment names (`AWS_ACCESS_KEY_ID` and so on). Raises UsageError for half of one."""
    key_id, secret = env.get("AWS_ACCESS_KEY_ID", ""), env.get("AWS_SECRET_ACCESS_KEY", "")
    if bool(key_id) != bool(secret):
        raise UsageError(
            "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set",
            where="the environment",
            remedy="set both, or neither for a public object",
        )
    return Credentials(key_id, secret, env.get("AWS_SESSION_TOKEN", ""), region(env)) if key_id else None


def region(env: Mapping[str, str]) -> str:
    """`AWS_REGION`, `AWS_DEFAULT_REGION`, or us-east-1."""
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def address(uri: str, env: Mapping[str, str]) -> str:
    """The HTTP address of `s3://bucket/key[?versionId=…]`, at the endpoint of `AWS_ENDPOINT_URL_S3` or
    `AWS_ENDPOINT_URL` (path style), else at Amazon's. Raises UsageError.
    """
    bucket, slash, rest = uri.removeprefix("s3://").partition("/")
    key, _, query = rest.partition("?")
    version = dict(urllib.parse.parse_qsl(query)).get("versionId", "") if query else ""
    if not bucket or not slash or not key or (query and not version):
        raise UsageError("an object is named as s3://bucket/key", where=uri.partition("?")[0])
    if not all(char.isascii() and (char.isalnum() or char in ".-_") for char in bucket):
        raise UsageError("this is no name of a bucket", where=uri.partition("?")[0])
    path = urllib.parse.quote(key, safe="/" + _SAFE)
    tail = "?versionId=" + urllib.parse.quote(version, safe=_SAFE) if version else ""
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or ""
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}/{path}{tail}"
    host = f"s3.{region(env)}.amazonaws.com"
    # a dot in the bucket's name does not fit the certificate of *.s3.amazonaws.com
    return f"https://{host}/{bucket}/{path}{tail}" if "." in bucket else f"https://{bucket}.{host}/{path}{tail}"


def signed(
    url: str, headers: Mapping[str, str], key: Credentials, now: datetime | None = None, service: str = "s3"
) -> dict[str, str]:
    """The headers of a GET for `url` (which is already encoded), signed. `now` is in UTC. Of those given, only
    the range is: proxies may change the others.
    """
    parts = urllib.parse.urlsplit(url)
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    everything = {"host": parts.netloc, "x-amz-date": moment, "x-amz-content-sha256": _EMPTY}
    everything |= {name: value for name, value in given.items() if name == "range"}
    if key.token:
        everything["x-amz-security-token"] = key.token
    names = ";".join(sorted(everything))
    pairs = sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    query = "&".join(f"{urllib.parse.quote(k, safe=_SAFE)}={urllib.parse.quote(v, safe=_SAFE)}" for k, v in pairs)
    lines = "".join(f"{name}:{everything[name]}\n" for name in sorted(everything))
    request = "\n".join(("GET", parts.path or "/", query, lines, names, _EMPTY))
    scope = f"{moment[:8]}/{key.region}/{service}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    secret = ("AWS4" + key.secret).encode()
    for part in (moment[:8], key.region, service, "aws4_request"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    everything["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    del everything["host"]
    return given | everything
