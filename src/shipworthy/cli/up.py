"""Serve a stored image: verified back to the datasets of its model, isolated, and behind the guard. Until Ctrl-C."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipworthy.cli.output import named, quiet_option, settings_for, settings_option

EXAMPLES = """examples:
  shipworthy up                                    the image that this project stored last
  shipworthy up spam-service@20261122T213000Z-1a2b3c
  shipworthy up --port 9000                        on 127.0.0.1:9000
  shipworthy run all && shipworthy up
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `up`."""
    parser.add_argument("image", nargs="?", default="", help="NAME or NAME@VERSION (default: the newest)")
    parser.add_argument("-C", "--directory", type=named, default=Path(), metavar="DIR", help="the project's folder")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--listen", default="", metavar="HOST:PORT", help="default: [protect] listen; port 8080 if that leaves it open"
    )
    where.add_argument("--port", type=int, metavar="PORT", help="the same, of this machine alone; 0: any that is free")
    parser.add_argument(
        "--events", type=Path, default=Path(".shipworthy/guard"), metavar="DIR", help="where the guard's record goes"
    )
    settings_option(parser)
    quiet_option(parser, "only the address")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 4 when the image does not verify: then nothing was served."""
    import signal
    import threading

    from shipworthy.errors import EnvironmentFailure
    from shipworthy.guard.runtime.address import host_and_port
    from shipworthy.records import replace
    from shipworthy.stages.dev.up import USUAL_PORT, serve

    root: Path = options.directory
    settings = settings_for(root, options.settings)
    listen, usual = options.listen or settings.protect.listen, USUAL_PORT
    if options.port is not None:
        listen, usual = f"127.0.0.1:{options.port}", 0
    host_and_port(listen, "[protect] listen" if listen == settings.protect.listen else "--listen or --port")
    settings = replace(settings, protect=replace(settings.protect, listen=listen))
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with serve(options.image, settings, root, root / options.events, usual) as up:
            if not options.quiet:
                print(f"{up.name}@{up.version}: {len(up.chain.links)} links hold", flush=True)
            print(f"listening on {up.guard.url}, mode {up.guard.mode}", flush=True)
            if not options.quiet:
                print(f"metrics on {up.guard.metrics}\nevents in {up.guard.events}\nCtrl-C ends it", flush=True)
            while not ended.wait(1.0):
                if up.service.ended() is not None:
                    last = up.service.log().strip().splitlines()[-3:]
                    raise EnvironmentFailure("the service has ended", remedy="; ".join(last) or "it said nothing")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0
