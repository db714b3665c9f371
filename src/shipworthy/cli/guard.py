"""Protect a running service: a reverse proxy that looks at every request and answer, limits what clients may ask, and
records what it did. The model that the service loads is verified first: if it does not verify, nothing is served."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shipworthy.cli.output import named, quiet_option, settings_for, settings_option
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError

if TYPE_CHECKING:
    import ssl

    from shipworthy.guard.runtime.core import Guard
    from shipworthy.guard.runtime.proxy import Proxy, Upstream

EXAMPLES = """examples:
  shipworthy guard --upstream http://127.0.0.1:8080 --listen 127.0.0.1:8443
  shipworthy guard --upstream http://127.0.0.1:8080 --mode watch --metrics 127.0.0.1:9100
  shipworthy guard --upstream http://127.0.0.1:8080 --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem
  shipworthy guard --upstream http://127.0.0.1:8080 --model model --signature model.sig --key release.key.pub
  shipworthy guard --upstream http://127.0.0.1:8080 --llm --answers block --rate 5 --summary-key file:guard.key
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `guard`."""
    parser.add_argument("--upstream", required=True, metavar="URL", help="the service, such as http://127.0.0.1:8080")
    parser.add_argument(
        "--listen", default="127.0.0.1:8443", metavar="HOST:PORT", help="default: 127.0.0.1:8443; port 0: any"
    )
    parser.add_argument("--mode", choices=("off", "watch", "block"), default="block", help="default: block")
    parser.add_argument("--answers", choices=("off", "watch", "block"), default="watch",
                        help="for personal data, secrets and stack traces in answers (default: watch)")  # fmt: skip
    parser.add_argument("--llm", action="store_true", help="the service is a language model: look for prompt injection")
    parser.add_argument("--rate", type=float, default=0.0, metavar="N", help="requests per second of one client")
    parser.add_argument("--burst", type=int, default=50, metavar="N", help="of which so many at once (default: 50)")
    parser.add_argument("--concurrent", type=int, default=64, metavar="N", help="requests at once of all (default: 64)")
    parser.add_argument("--body", type=int, default=1 << 20, metavar="BYTES", help="of a request (default: 1 MiB)")
    parser.add_argument(
        "--seconds", type=float, default=30.0, metavar="S", help="for each step of a request (default: 30)"
    )
    parser.add_argument("--volume", type=int, default=0, metavar="N", help="questions of one client in an hour")
    parser.add_argument("--health", action="append", metavar="PATH", help="always answered (default: /healthz)")
    parser.add_argument("--client-header", default="", metavar="NAME", help="who a client is, if not its address")
    parser.add_argument("--events", type=Path, default=Path("guard-events.jsonl"), metavar="FILE")
    parser.add_argument("--record", choices=("decisions", "all"), default="decisions",
                        help="all: an event of each request that is passed, too (default: a count)")  # fmt: skip
    parser.add_argument("--tls-cert", type=Path, metavar="PEM", help="answer HTTPS, with this chain of certificates")
    parser.add_argument("--tls-key", type=Path, metavar="PEM", help="and its private key")
    parser.add_argument("--metrics", default="", metavar="HOST:PORT", help="answer Prometheus there")
    parser.add_argument("--drift", type=Path, metavar="FILE", help="training data (.jsonl, .csv, .txt) to compare with")
    parser.add_argument("--summary-key", default="", metavar="KEY", help="sign a summary of each day with this key")
    parser.add_argument("--model", type=named, metavar="PATH", help="verify this model before anything is served")
    parser.add_argument(
        "--signature", type=Path, metavar="FILE", help="its signature (default: what is stored or lies beside it)"
    )
    parser.add_argument("--key", type=Path, action="append", default=[], metavar="PUB", help="trust this public key")
    parser.add_argument(
        "--model-every", type=seconds, default=5.0, metavar="S", help="look whether it was changed (default: 5)"
    )
    settings_option(parser)
    quiet_option(parser, "only errors")


def seconds(text: str) -> float:
    """More than nothing, and a time that can be waited for."""
    found = float(text)
    if not 0.1 <= found <= 86_400:
        raise ValueError(text)
    return found


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 4 when the model does not verify: then nothing was served."""
    from shipworthy.guard.runtime.core import Guard
    from shipworthy.guard.runtime.drift import load
    from shipworthy.guard.runtime.policy import DETECTORS, PROMPTS, Limits, Policy
    from shipworthy.guard.runtime.proxy import Proxy

    limits = Limits(
        rate=options.rate,
        burst=options.burst,
        concurrent=options.concurrent,
        body=options.body,
        seconds=options.seconds,
    )
    policy = Policy(
        mode=options.mode,
        limits=limits,
        detectors=(*DETECTORS, *([PROMPTS] if options.llm else [])),
        answers=options.answers,
        health=tuple(options.health or ("/healthz",)),
        client_header=options.client_header,
        volume=options.volume,
        record=options.record,
    )
    tls = _tls(options.tls_cert, options.tls_key)
    upstream = _upstream(options.upstream)
    verified = _verify(options)
    guard = Guard(policy, events=options.events, drift=load(options.drift) if options.drift else None)
    try:
        guard.note("started", {"mode": policy.mode, "model": verified, "upstream": options.upstream[:200]})
        return asyncio.run(_serve(Proxy(guard, upstream), guard, options, tls, verified))
    finally:
        guard.close()


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """TLS 1.2 or later; None when there is no certificate. Raises UsageError."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("one of --tls-cert and --tls-key is missing", remedy="give both")
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")  # never asked for at a terminal
    except (OSError, ValueError) as error:
        raise UsageError(
            f"they can't be used: {getattr(error, 'reason', '') or getattr(error, 'strerror', '') or 'not PEM'}",
            where=f"{certificate}, {key}",
            remedy="a chain in PEM, and its key without a password",
        ) from None
    return context


async def _serve(
    proxy: Proxy, guard: Guard, options: argparse.Namespace, tls: ssl.SSLContext | None, verified: str
) -> int:
    from shipworthy.guard.runtime.address import host_and_port

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        guard.warm()
        gc.freeze()  # what is loaded stays: no collection, for which a request would wait, has to walk it
        await proxy.start(*host_and_port(options.listen, "--listen"), tls=tls)
        metrics = await proxy.start_metrics(*host_and_port(options.metrics, "--metrics")) if options.metrics else None
    except OSError as error:
        raise EnvironmentFailure(f"cannot listen: {error.strerror or error}", where=options.listen) from None
    host, port = proxy.address
    print(f"listening on http{'s' if tls else ''}://{_host(host)}:{port}, mode {guard.policy.mode}", flush=True)
    if metrics and not options.quiet:
        print(f"metrics on http://{_host(metrics[0])}:{metrics[1]}/metrics", flush=True)
    daily = asyncio.create_task(_daily(guard, options)) if options.summary_key else None
    watch = asyncio.create_task(_watch(guard, options, verified)) if options.model else None
    await ended.wait()
    if watch is not None:
        watch.cancel()
    await proxy.close()
    guard.note("stopped", {})
    if daily is not None:
        daily.cancel()
        await asyncio.to_thread(_summarise, guard, options)
    return 0


async def _watch(guard: Guard, options: argparse.Namespace, verified: str) -> None:
    """See that the model stays the one that was verified: services load a model again, and start workers that do."""
    from shipworthy.guard.runtime.model import ModelWatch

    look = ModelWatch(guard, options.model, verified, lambda: _verify(options)).look
    while True:
        await asyncio.to_thread(look)
        await asyncio.sleep(options.model_every)


async def _daily(guard: Guard, options: argparse.Namespace) -> None:
    """Sign the day that has ended, every day."""
    from shipworthy.guard.runtime.summary import today

    day = today()
    while True:
        await asyncio.sleep(20)
        if (now := today()) != day:
            try:
                await asyncio.to_thread(_summarise, guard, options, day)
            except (EvidenceError, EnvironmentFailure) as error:
                guard.note("summary-failed", {"error": type(error).__name__})
                print(f"the summary of {day} was not signed: {error}", file=sys.stderr, flush=True)
            day = now


def _summarise(guard: Guard, options: argparse.Namespace, day: str = "") -> None:
    from shipworthy.guard.runtime.summary import today, write_summary
    from shipworthy.keys import open_signer

    events: Path = options.events
    written = guard.events.written() if guard.events else None
    path = write_summary(
        events,
        day or today(),
        [open_signer(options.summary_key)],
        events.parent,
        written=written,
        mode=guard.policy.mode,
    )
    if not options.quiet:
        print(f"summary: {path}", flush=True)


def _verify(options: argparse.Namespace) -> str:
    """The digest of the model, verified; empty when none was named. Raises EvidenceError."""
    model: Path | None = options.model
    if model is None:
        if options.signature or options.key:
            raise UsageError("a signature or key is given, but no model", remedy="name it: --model PATH")
        return ""
    if options.signature:
        return _signed(model, options.signature, options.key)
    from shipworthy.stages.trust import believed
    from shipworthy.stages.verification import verify_target

    settings = settings_for(Path(), options.settings)
    result = verify_target(str(model), settings, Path(), believed(settings, Path(), tuple(options.key)))
    if (broken := result.first_broken) is not None:
        raise EvidenceError(f"nothing is served: {broken.reason}", where=str(model), remedy=broken.remedy)
    return result.target


def _signed(model: Path, signature: Path, paths: list[Path]) -> str:
    from shipworthy.evidence.files import read_bounded
    from shipworthy.evidence.oms import verify_model
    from shipworthy.keys import load_public

    if not paths:
        raise UsageError(
            "a signature says nothing without a key that is trusted", remedy="name one: --key release.key.pub"
        )
    if not signature.is_file():
        raise UsageError("there is no such signature", where=str(signature))
    keys = tuple(load_public(path) for path in paths)
    inside = frozenset({signature.name}) if signature.resolve().parent == model.resolve() else frozenset[str]()
    raw = read_bounded(signature, 64 << 20)
    result = verify_model(model, raw, keys, allow_left_out=inside, where=str(signature))
    if not result.ok:
        changed = ", ".join(str(difference) for difference in result.differences[:5])
        raise EvidenceError(
            f"nothing is served: the model is not what was signed: {changed}",
            where=str(model),
            remedy="bring back the signed model",
        )
    return result.manifest.digest


def _upstream(url: str) -> Upstream:
    from shipworthy.guard.runtime.proxy import Upstream

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.path not in ("", "/")
        or parts.query
        or parts.username
    ):
        raise UsageError("this is no address of a service", where="--upstream", remedy="such as http://127.0.0.1:8080")
    return Upstream(host, port or (443 if parts.scheme == "https" else 80), tls=parts.scheme == "https")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
