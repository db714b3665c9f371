"""Requests to one repository of a registry: who asks, where it leads, what is tried again."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import quote, urlencode

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.patterns import regex
from shipworthy.stores import RegistryOptions
from shipworthy.stores._credentials import TOKEN, Challenge, Credentials, challenge, find
from shipworthy.stores._http import BLOCK, Answer, BrokenError, Origin, Wire, split_url

TRIES = 5
"""How often something is tried without progress before the network is given up."""
SMALL = 4 * BLOCK
"""Bytes of a manifest, a list or an error: more is refused (the specification asks registries for 4 MiB)."""
_TOKEN_LIMIT = 64 * 1024
_BUSY = frozenset({429, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_HOPS = 4
_LONGEST_PAUSE = 30.0
_CODE = regex(r"[A-Z][A-Z_]{1,40}")
_TOKEN_HOSTS = {"registry-1.docker.io": "auth.docker.io", "registry.gitlab.com": "gitlab.com"}

Body = Callable[[], Iterable[bytes]]
"""The bytes to send, from their start, each time that it is called."""


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Message
    body: bytes


class Asker:
    """Asks one registry for one repository. Raises EnvironmentFailure for what is refused or does not come through."""

    def __init__(
        self, origin: Origin, repository: str, options: RegistryOptions, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.origin, self.repository, self.options, self.pause = origin, repository, options, pause
        self.base = f"{origin.scheme}://{origin}"
        self.wire = Wire(options.ca_file, (str(origin),) if options.plain_http else ())
        self._credentials: Credentials | None = None
        self._granted: dict[str, str] = {}

    def __str__(self) -> str:
        return f"oci://{self.origin}/{self.repository}"

    def path(self, kind: str, reference: str) -> str:
        """The target of a request for a thing of the repository."""
        return f"/v2/{self.repository}/{kind}/{quote(reference, safe=':')}"

    def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        *,
        allowed: tuple[int, ...],
        once: bool = False,
        patience: float = 0,
    ) -> Reply:
        """A whole answer with one of the statuses. `once`: BrokenError is for the caller, who knows how to go on.
        `patience`: seconds to wait for it beyond the usual.
        """

        def ask() -> Reply:
            return self.whole(*self.answered(method, target, headers or {}, body, patience=patience))

        reply = ask() if once else self.retried(ask)
        if reply.status not in allowed:
            raise self.refused(method, reply)
        return reply

    def retried(self, ask: Callable[[], Reply]) -> Reply:
        """Ask again when the network fails or the registry is busy, a few times."""
        for failures in range(1, TRIES + 1):
            try:
                reply = ask()
            except BrokenError as error:
                if failures == TRIES:
                    raise self.given_up(error) from None
                self.pause(wait(failures))
            else:
                if reply.status not in _BUSY or failures == TRIES:
                    return reply
                self.pause(wait(failures, reply.headers.get("Retry-After", "")))
        raise AssertionError("unreachable")

    def answered(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Body | None,
        *,
        blob: bool = False,
        patience: float = 0,
    ) -> tuple[Answer, Origin]:
        """An answer and who gave it, after logging in if the registry wants that. Raises BrokenError."""
        scope = f"repository:{self.repository}:{'pull' if method in {'GET', 'HEAD'} else 'pull,push'}"
        answer, origin = self._followed(method, target, headers, body, self._granted.get(scope, ""), blob, patience)
        if answer.status == 401 and origin == self.origin:
            asked = [challenge(header) for header in answer.headers.get_all("WWW-Authenticate") or ()]
            self.whole(answer, origin)
            self._log_in(asked, scope)
            answer, origin = self._followed(method, target, headers, body, self._granted[scope], blob, patience)
        return answer, origin

    def whole(self, answer: Answer, origin: Origin) -> Reply:
        """Read a small answer to its end."""
        try:
            body = answer.small(SMALL)
        except EnvironmentFailure as error:
            raise self._placed(error) from None
        finally:
            self.wire.done(origin, answer)
        return Reply(answer.status, answer.headers, body)

    def refused(self, method: str, reply: Reply) -> EnvironmentFailure:
        """What an answer with an error says; never the registry's own words, which may be anything."""
        said = ", ".join(codes(reply))
        remedy = "try again later" if reply.status in _BUSY or reply.status >= 500 else ""
        if reply.status in {401, 403} or {"DENIED", "UNAUTHORIZED"} & set(codes(reply)):
            named = self.options.credentials
            remedy = f"check that {named} holds credentials with this right" if named else "give credentials for it"
        elif "NAME_UNKNOWN" in said:
            remedy = "make the repository first, or check its name"
        return EnvironmentFailure(
            f"the registry answers {reply.status}{f' ({said})' if said else ''} to {method}",
            where=str(self),
            remedy=remedy,
        )

    def given_up(self, error: BrokenError) -> EnvironmentFailure:
        """What the last of several failures says."""
        return EnvironmentFailure(
            f"the registry cannot be reached: {error} ({TRIES} times)",
            where=str(self),
            remedy="check the network and the registry's address, then try again",
        )

    def pages(self, first: Reply, limit: int) -> Iterator[bytes]:
        """The bodies of a list in pages, by `Link` headers (RFC 8288) that stay at this registry."""
        reply = first
        for _ in range(limit):
            yield reply.body
            link = _next(reply.headers.get("Link", ""))
            if not link:
                return
            try:
                origin, target = split_url(link, f"{self.base}/")
            except ValueError:
                origin, target = None, ""
            if origin != self.origin or not target.startswith(f"/v2/{self.repository}/"):
                raise EnvironmentFailure("the registry's list goes on somewhere else; refused", where=str(self))
            reply = self.call("GET", target, allowed=(200,))
        raise EnvironmentFailure(f"the registry's list has more than {limit} pages", where=str(self))

    def _followed(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Body | None,
        granted: str,
        blob: bool,
        patience: float,
    ) -> tuple[Answer, Origin]:
        origin, own = self.origin, True
        for _ in range(_HOPS):
            own = own and origin == self.origin
            given = {"User-Agent": "shipworthy", **headers}
            if own and granted:  # to the registry itself; to nobody it points at, nor on behalf of who points back
                given["Authorization"] = granted
            public = not own and not self.origin.loopback and str(origin) not in self.options.redirect_to
            try:
                sent = body() if body else None
                answer = self.wire.send(origin, method, target, given, sent, public_only=public, patience=patience)
            except EnvironmentFailure as error:
                raise self._placed(error) from None
            if answer.status not in _MOVED:
                return answer, origin
            location = answer.headers.get("Location", "")
            self.wire.done(origin, answer)
            origin, target = self._redirected(method, location, origin, target, blob)
        raise EnvironmentFailure(f"more than {_HOPS} redirects", where=str(self))

    def _redirected(self, method: str, location: str, origin: Origin, target: str, blob: bool) -> tuple[Origin, str]:
        try:
            led, target = split_url(location, f"{origin.scheme}://{origin}{target}")
        except ValueError:
            raise EnvironmentFailure("the registry redirects to what is no address", where=str(self)) from None
        allowed = led == self.origin or (blob and (led.scheme == "https" or str(led) in self.options.redirect_to))
        if method not in {"GET", "HEAD"} or not allowed:
            raise EnvironmentFailure(
                f"the registry redirects to another host, {led}; refused",
                where=str(self),
                remedy="only blobs may come from another host, with TLS, or from one that `redirect-to` names",
            )
        return led, target

    def _log_in(self, asked: list[Challenge], scope: str) -> None:
        """Get what is to be said in the header `Authorization`. Raises EnvironmentFailure."""
        if self._credentials is None:
            try:
                self._credentials = find(self.options.credentials, str(self.origin))
            except UsageError as error:  # which would say that there is no such thing in the store
                raise EnvironmentFailure(error.message, where=error.where, remedy=error.remedy) from None
        bearer = next((one for one in asked if one.scheme == "bearer" and one.parameters.get("realm")), None)
        if bearer:
            self._granted[scope] = f"Bearer {self._token(bearer, scope)}"
        elif any(one.scheme == "basic" for one in asked) and self._credentials:
            self._granted[scope] = self._credentials.basic()
        else:
            raise EnvironmentFailure(
                "the registry wants to know who asks" if asked else "the registry answers 401, and not how to log in",
                where=str(self),
                remedy='name its credentials in the settings, such as credentials = "env:NAME"' if asked else "",
            )

    def _token(self, asked: Challenge, scope: str) -> str:
        """A token of the registry's token service (distribution's token authentication specification)."""
        realm = asked.parameters["realm"]
        try:
            origin, target = split_url(realm)
        except ValueError:
            raise EnvironmentFailure("the registry names no address for tokens", where=str(self)) from None
        if not self._may_have_credentials(origin):
            raise EnvironmentFailure(
                f"the registry wants us to get a token from another host, {origin}; refused",
                where=str(self),
                remedy=f'if that is its token service: token-hosts = ["{origin}"] for this registry',
            )
        query = {"scope": scope}
        if service := asked.parameters.get("service"):
            query["service"] = service
        target += ("&" if "?" in target else "?") + urlencode(query)
        headers = {"User-Agent": "shipworthy", "Accept": "application/json"}
        if self._credentials:
            headers["Authorization"] = self._credentials.basic()

        def ask() -> Reply:
            try:
                return self.whole(self.wire.send(origin, "GET", target, headers), origin)
            except EnvironmentFailure as error:
                raise self._placed(error) from None

        reply = self.retried(ask)
        if reply.status != 200:
            raise self.refused("a request for a token", reply)
        token = _json(reply.body).get("token") or _json(reply.body).get("access_token")
        if not isinstance(token, str) or not TOKEN.fullmatch(token):
            raise EnvironmentFailure("the token service sent no token", where=str(origin))
        return token

    def _may_have_credentials(self, origin: Origin) -> bool:
        named = {_TOKEN_HOSTS.get(self.origin.host), *self.options.token_hosts}
        own = origin == self.origin or (origin.scheme == "https" and origin.host == self.origin.host)
        secure = origin.scheme == "https" or origin == self.origin or (origin.loopback and self.origin.loopback)
        return secure and (own or not named.isdisjoint({origin.host, str(origin)}))

    def _placed(self, error: EnvironmentFailure) -> EnvironmentFailure:
        return EnvironmentFailure(error.message, where=error.where or str(self), remedy=error.remedy)


def codes(reply: Reply) -> list[str]:
    """The codes of an error (distribution specification, error codes); at most five, in the specified form only."""
    listed = _json(reply.body).get("errors")
    found = [one.get("code") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [code for code in found if isinstance(code, str) and _CODE.fullmatch(code)][:5]


def wait(failures: int, asked: str = "") -> float:
    """Seconds to wait after so many failures; what the other side asks for (RFC 9110, Retry-After), within reason."""
    if asked.isascii() and asked.isdigit() and len(asked) < 6:
        return min(float(asked), _LONGEST_PAUSE)
    return 0.5 * 2.0 ** (failures - 1) * (0.5 + random.random())  # noqa: S311  spreads retries, guards nothing


def _json(raw: bytes) -> dict[str, object]:
    try:
        value = json.loads(raw[:_TOKEN_LIMIT])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _next(header: str) -> str:
    """The address of `<address>; rel="next"`."""
    address, closed, rest = header.strip().removeprefix("<").partition(">")
    return address if closed and rest.replace(" ", "").replace('"', "").startswith(";rel=next") else ""
