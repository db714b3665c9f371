"""The image's service, run in isolation as it will be run, with or without the guard before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipworthy.checks.services._service import Probe, ServiceInfo
from shipworthy.config import Settings
from shipworthy.engine.stage import Job
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.guard.runtime.address import host_and_port
from shipworthy.guard.runtime.core import Guard
from shipworthy.guard.runtime.drift import Drift, load
from shipworthy.guard.runtime.policy import DETECTORS, PROMPTS, Limits, Policy
from shipworthy.guard.runtime.proxy import Proxy, Upstream
from shipworthy.images import open_image, unpack
from shipworthy.model import Artifact, Kind
from shipworthy.serving import Running, Service, Use, start


@contextlib.contextmanager
def running(given: Settings, folder: Path, layout: Path, digest: str, name: str) -> Iterator[Running]:
    """Unpack the image of a layout, which must have this digest, and run its service where only loopback exists. Its
    output goes to `service.log` in the folder of the name.

    Raises EvidenceError for another image, EnvironmentFailure when the service does not get ready.
    """
    settings, rootfs = given.service, folder / f"rootfs-{name}"
    for old in (rootfs, folder / name):
        if old.exists():
            shutil.rmtree(old)
    (folder / name).mkdir(parents=True)
    image = open_image(layout, digest)
    if image.digest != digest:
        raise EvidenceError("the image is another one than was verified", where=name, remedy="run it again")
    unpack(image, rootfs)
    service = Service(
        rootfs=rootfs,
        config=image.config,
        port=settings.port,
        env=(env := _environment(settings.env)),
        secrets={name: env[name] for name, value in settings.env.items() if value.startswith("env:")},
        use=Use(memory_mb=settings.memory_mb, processes=settings.processes),
        ready=settings.health,
        ready_seconds=float(settings.ready_seconds),
        log=folder / name / "service.log",
    )
    try:
        with start(service) as started:
            yield started
    finally:
        shutil.rmtree(rootfs, ignore_errors=True)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables, those of ours that they stand for filled in. Raises UsageError for one that is not set."""
    filled = {}
    for name, value in given.items():
        if value.startswith("env:"):
            ours = value.removeprefix("env:")
            if ours not in os.environ:
                raise UsageError(f"the environment variable {ours} is not set", where=f"[service.env] {name}")
            value = os.environ[ours]
        filled[name] = value
    return filled


def described(job: Job, service: Running, name: str) -> Artifact:
    """The service that runs under this name (`test`, `deploy`) as an artifact: what checks need to know of it lies in
    the folder of the name, as its output does."""
    settings, image, folder = job.settings.service, job.done["build"].outputs["image"], job.folder / name
    probe = settings.probe
    info = ServiceInfo(
        url=service.url,
        health=settings.health,
        openapi=_openapi(job, folder),
        probe=Probe(probe.path, probe.method, probe.body, probe.content_type) if probe else Probe(settings.health),
        listening=tuple((port.address, port.port) for port in service.listening()),
        expected_ports=(service.port, *settings.ports),
        image_config=dict(service.service.config),
        runtime=service.isolation,
        log="service.log",
        rootfs=str(service.service.rootfs.resolve()),
        tls=job.settings.deploy.tls,
        llm=settings.llm,
        environment=name,
        public=settings.public,
    )
    info.write(folder)
    return Artifact("service", Kind.SERVICE, image, 0, "application/http", folder)


def _openapi(job: Job, folder: Path) -> str:
    """Where the OpenAPI document is: a file of the workspace is copied to the folder, a path is the service's."""
    given = job.settings.service.openapi
    if not given or given.startswith("/"):
        return given
    artifact = next((a for a in job.inventory.artifacts if a.uri == given), None)
    if artifact is None:
        raise UsageError(f"there is no `{given}`", where="[service] openapi", remedy="a file, or a path of the service")
    (folder / "openapi.json").write_bytes(artifact.read_bytes())
    return "openapi.json"


@dataclass
class Guarded:
    """A guard that runs: where it listens, where its metrics are, and its file of events; when it has ended, how far it
    wrote that (lines, digest of the last)."""

    url: str
    metrics: str
    events: Path
    mode: str
    written: tuple[int, str] = (0, "")


@contextlib.contextmanager
def guarded(
    settings: Settings, root: Path, service: Running, digest: str, folder: Path, usual: int = 0
) -> Iterator[Guarded]:
    """Put the guard before the running service of the image with this digest, in a thread of its own, as `[protect]`
    says; `root` is the workspace. Where any port will do, the `usual` one is taken if it is free. Raises
    EnvironmentFailure when it cannot listen, UsageError for `drift` and an address that is none."""
    address = host_and_port(settings.protect.listen, "[protect] listen")
    policy = policy_of(settings)
    drift = _drift(settings.protect.drift, root)
    folder.mkdir(parents=True, exist_ok=True)
    events = folder / "guard-events.jsonl"
    guard = Guard(policy, events=events, drift=drift)
    guard.note("started", {"mode": policy.mode, "image": digest})
    thread = _Thread(guard, service, address, usual)
    try:
        thread.begin()
        told = Guarded(thread.url, thread.metrics, events, policy.mode)
        yield told
    finally:
        thread.end()
        guard.note("stopped", {})
        guard.close()
    if guard.events is not None:
        told.written = guard.events.written()


def policy_of(settings: Settings) -> Policy:
    """What `[protect]` asks for, in the guard's words."""
    given = settings.protect
    return Policy(
        mode=given.mode,  # type: ignore[arg-type]  # the settings' reader has checked it
        answers=given.answers,  # type: ignore[arg-type]  # as well
        limits=Limits(
            body=given.body,
            depth=given.depth,
            rate=given.rate,
            burst=given.burst,
            concurrent=given.concurrent,
            seconds=given.seconds,
        ),
        volume=given.volume,
        detectors=(*DETECTORS, *([PROMPTS] if settings.service.llm else [])),
        health=(settings.service.health,),
    )


def _drift(given: str, root: Path) -> Drift | None:
    """The training data that requests are compared with. Raises UsageError when it is no file of the workspace."""
    if not given:
        return None
    path = (root / given).resolve()
    if not path.is_relative_to(root.resolve()) or not path.is_file():
        raise UsageError(f"there is no `{given}` in the workspace", where="[protect] drift", remedy="name a file of it")
    return load(path)


class _Thread:
    """An event loop in a thread, with the guard's proxy in it."""

    def __init__(self, guard: Guard, service: Running, listen: tuple[str, int], usual: int) -> None:
        host, _, port = service.url.removeprefix("http://").rpartition(":")
        self.proxy = Proxy(guard, Upstream(host, int(port)))
        self.listen, self.usual = listen, usual
        self.url = self.metrics = ""
        self.loop = asyncio.new_event_loop()
        self.ready, self.failed = threading.Event(), ""
        self.thread = threading.Thread(target=self._run, name="guard", daemon=True)

    def begin(self) -> None:
        self.thread.start()
        self.ready.wait(30)
        if self.failed or not self.url:
            where = f"{self.listen[0]}:{self.listen[1]}"
            raise EnvironmentFailure(f"the guard cannot listen: {self.failed or 'it did not start'}", where=where)

    def end(self) -> None:
        if self.thread.is_alive():
            asyncio.run_coroutine_threadsafe(self.proxy.close(), self.loop).result(30)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(30)
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._listen())
        except OSError as error:
            self.failed = error.strerror or str(error)
            self.ready.set()
            return
        self.ready.set()
        self.loop.run_forever()

    async def _listen(self) -> None:
        host, port = self.listen
        try:
            await self.proxy.start(host, port or self.usual)
        except OSError:
            if port or not self.usual:
                raise
            await self.proxy.start(host, 0)
        metrics = await self.proxy.start_metrics("127.0.0.1", 0)
        self.metrics = f"http://{metrics[0]}:{metrics[1]}/metrics"
        self.url = f"http://{self.proxy.address[0]}:{self.proxy.address[1]}"
