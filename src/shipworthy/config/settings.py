"""The settings as typed, frozen dataclasses. `docs/settings.md` is made from this module."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from shipworthy.config.options import NO_DATE
from shipworthy.config.options import option as _opt
from shipworthy.config.signing import Log, Sign, Trust
from shipworthy.records import dataclass, field


@dataclass(frozen=True)
class Fetch:
    """One artifact to bring in before anything is looked at: `[[load.fetch]]`."""

    uri: str = _opt("", "where it comes from: `https://…`, `file:///…`, or `git+https://…@<commit>#path`")
    to: str = _opt("", "where it goes, relative to the workspace")
    sha256: str = _opt("", "the digest that it must have (64 hex digits); needed for everything but a git commit")


@dataclass(frozen=True)
class Signed:
    """Something whose signature must hold before it is used: `[[load.signed]]`."""

    path: str = _opt("", "the file or folder that was signed")
    signature: str = _opt("", "the signature file, as `shipworthy sign` writes it")
    key: str = _opt("", "the public key that must have signed it")


@dataclass(frozen=True)
class Load:
    """What is looked at: `[load]`. Empty lists mean: discover."""

    datasets: tuple[str, ...] = _opt((), "globs of files that are datasets, whatever their names")
    models: tuple[str, ...] = _opt((), "globs of files that are models, whatever their names")
    notebooks: tuple[str, ...] = _opt((), "globs of files that are notebooks")
    requirements: tuple[str, ...] = _opt((), "globs of files that list dependencies")
    fetch: tuple[Fetch, ...] = _opt((), "artifacts to bring in first, each with the digest that it must have")
    signed: tuple[Signed, ...] = _opt((), "signatures that must hold before anything is used")


@dataclass(frozen=True)
class Scan:
    """How checks are run: `[scan]`."""

    exclude: tuple[str, ...] = _opt((), "globs that are not looked at; reports say how many files that leaves out")
    checks: tuple[str, ...] = _opt(("*",), "names or categories of the checks to run")
    skip: tuple[str, ...] = _opt((), "names or categories of the checks not to run")
    trust: tuple[str, ...] = _opt((), 'what models may use, as module:name, such as `"mypackage.models:*"`')
    jobs: int = _opt(0, "how many workers; 0: one for each core")
    memory_mb: int = _opt(2048, "memory limit of one worker that parses hostile bytes, in MiB")
    cache: bool = _opt(True, "keep results of unchanged artifacts between runs")
    offline: bool = _opt(True, "nothing leaves this machine; checks that need the network are `unavailable`")


@dataclass(frozen=True)
class Limits:
    """What a training or evaluation command may use: `[train.limits]`, `[evaluate.limits]`."""

    wall_seconds: int = _opt(3600, "wall-clock time")
    cpu_seconds: int = _opt(0, "CPU time; 0: as wall-clock")
    memory_mb: int = _opt(8192, "memory of the whole process tree, in MiB")
    processes: int = _opt(256, "processes at once")
    file_mb: int = _opt(4096, "size of one written file, in MiB")


@dataclass(frozen=True)
class KFold:
    """Cross-validation by index files that Shipworthy writes: `[train.kfold]`."""

    folds: int = _opt(5, "how many folds")
    dataset: str = _opt("", "which of the inputs is split")
    label: str = _opt("", "the column to stratify by")
    group: str = _opt("", "the column whose values stay together in one fold")


@dataclass(frozen=True)
class EarlyStopping:
    """When training has learnt all it will: `[train.early-stopping]`, read from the script's progress lines."""

    metric: str = _opt("val_loss", "which metric of the progress lines")
    mode: str = _opt("min", "`min` or `max`")
    patience: int = _opt(5, "how many steps without improvement")
    min_delta: float = _opt(0.0, "what counts as an improvement")


@dataclass(frozen=True)
class Train:
    """The training step: `[train]`."""

    command: tuple[str, ...] = _opt((), "the program and its arguments, never a shell line; `python` is this Python")
    code: tuple[str, ...] = _opt((), "the files that the command needs (globs); read-only to it")
    inputs: Mapping[str, str] = _opt(dict, "name -> file or folder; read-only, digests recorded")
    outputs: Mapping[str, str] = _opt(
        dict, "name -> file or folder that it must write; the one named `model` is signed"
    )
    sandbox: str = _opt("no-network", "`no-network`, `strict` (and an isolated file system) or `none`")
    seed: int = _opt(0, "handed over as SHIPWORTHY_SEED")
    env: Mapping[str, str] = _opt(dict, "further environment variables")
    limits: Limits = _opt(Limits, "what it may use")
    kfold: KFold | None = _opt(None, "cross-validation")
    early_stopping: EarlyStopping | None = _opt(None, "early stopping")


@dataclass(frozen=True)
class Evaluate:
    """The evaluation step: `[evaluate]`. Metrics are computed from the predictions and from labels it never sees."""

    command: tuple[str, ...] = _opt((), "the program and its arguments; it writes one prediction for each row")
    code: tuple[str, ...] = _opt((), "the files that the command needs (globs)")
    holdout: str = _opt("", "the CSV file with the labels; the command gets it without them")
    id: str = _opt("id", "the column that names a row")
    label: str = _opt("label", "the column with the truth")
    positive: str = _opt("", "the positive class of a two-class problem")
    sandbox: str = _opt("no-network", "as for `[train]`")
    limits: Limits = _opt(Limits, "what it may use")


@dataclass(frozen=True)
class Image:
    """How the container image is built: `[image]`."""

    dockerfile: str = _opt("Dockerfile", "the Dockerfile, in the context")
    context: str = _opt(".", "the folder that is built from; what its .dockerignore leaves out stays out")
    name: str = _opt("", "the name that the image is stored under; default: the project's, and `-service`")
    model: str = _opt("", "where in the context the verified model is put; default: where training wrote it")
    engine: str = _opt("auto", "`buildah`, `podman`, `docker`, `builtin`, or `auto`: the first of these that is there")
    network: bool = _opt(False, "RUN instructions may use the network")
    pull: bool = _opt(True, "a base image that is not at hand may be pulled from its registry")
    args: Mapping[str, str] = _opt(dict, "build arguments; they are recorded, so they are no place for secrets")
    bases: Mapping[str, str] = _opt(
        dict, "base images at hand: the reference in FROM -> an OCI layout, or `this-python` for this machine's Python"
    )
    wheels: str = _opt("", "a requirements file with digests, whose wheels are fetched into `wheels/` of the context")
    seconds: int = _opt(1800, "wall-clock time of the build")


@dataclass(frozen=True)
class Probe:
    """A request that the service must answer: `[service.probe]`."""

    method: str = _opt("POST", "the method")
    path: str = _opt("/predict", "the path")
    body: str = _opt("", "the body")
    content_type: str = _opt("application/json", "its type")
    status: int = _opt(200, "the status of the answer")


@dataclass(frozen=True)
class Service:
    """How the image is run, for tests and as deployed: `[service]`."""

    port: int = _opt(8080, "the port that it listens on, inside")
    ports: tuple[int, ...] = _opt((), "further ports that may be open")
    health: str = _opt("/healthz", "the path that answers 200 when it is ready")
    ready_seconds: int = _opt(30, "how long it may take to get ready")
    openapi: str = _opt("", "its OpenAPI document: a file of the workspace, or a path that the service answers")
    env: Mapping[str, str] = _opt(dict, "environment variables; `env:NAME` stands for one of Shipworthy's own")
    memory_mb: int = _opt(1024, "memory, in MiB")
    processes: int = _opt(128, "processes at once")
    public: bool = _opt(False, "it is meant to be reached without authentication")
    llm: bool = _opt(False, "it answers with text that a language model wrote")
    probe: Probe | None = _opt(None, "a request that it must answer")


@dataclass(frozen=True)
class Deploy:
    """What the deployment is held to: `[deploy]`."""

    frameworks: tuple[str, ...] = _opt(
        ("pci-dss-4.0.1", "iso-27001-2022", "nist-800-53-r5"), "the control lists that the deployment is compared with"
    )
    tls: bool = _opt(False, "the service itself speaks TLS")


@dataclass(frozen=True)
class Protect:
    """How the running service is guarded: `[protect]`."""

    mode: str = _opt("block", "`block`, `watch` (only record) or `off`")
    listen: str = _opt("127.0.0.1:0", "where the guard listens; port 0: any that is free")
    answers: str = _opt("watch", "personal data, secrets and stack traces in answers: `block`, `watch` or `off`")
    rate: float = _opt(0.0, "requests in a second of one client; 0: no limit")
    burst: int = _opt(50, "of which so many may come at once")
    concurrent: int = _opt(64, "requests at once of all clients; health checks have places of their own")
    body: int = _opt(1 << 20, "bytes of a request's body")
    depth: int = _opt(32, "how deep a JSON body may nest")
    seconds: float = _opt(30.0, "for a request to arrive, and for the service to answer")
    volume: int = _opt(0, "questions of one client in an hour, beyond which it is refused; 0: no limit")
    drift: str = _opt("", "file of training data (.jsonl, .csv, .txt) that requests are compared with")


@dataclass(frozen=True)
class Gate:
    """What must hold to go on: `[gates.<name>]`. The defaults are strict."""

    fail_on: str = _opt("high", "the lowest severity that fails the gate, or `never`")
    min_confidence: str = _opt("low", "findings of less confidence are shown but do not fail the gate")
    only_new: bool = _opt(False, "findings of the baseline do not fail the gate")
    require: tuple[str, ...] = _opt(("*",), "categories or checks that must have looked at all they should; `*`: all")
    accept_partial: tuple[str, ...] = _opt(
        (), "gaps that are accepted: `check:reason`, or a check for its limits that leave no artifact out"
    )
    rules: tuple[str, ...] = _opt((), "CEL expressions over metrics and findings that must be true")


@dataclass(frozen=True)
class Waiver:
    """A finding that somebody answers for: `[[waivers]]`."""

    rule: str = _opt("", "the rule's id")
    path: str = _opt("", "glob of the artifacts meant")
    fingerprint: str = _opt("", "the one finding meant")
    owner: str = _opt("", "who answers for it")
    reason: str = _opt("", "why it is accepted")
    until: date = _opt(NO_DATE, "the last day on which it holds")


@dataclass(frozen=True)
class Registry:
    """How a container registry is reached: `[store.registries."HOST[:PORT]"]`."""

    credentials: str = _opt(
        "", "where they are: `env:NAME` (a variable that holds `user:password@HOST`) or `docker-config`; default: none"
    )
    plain_http: bool = _opt(False, "http without TLS, on a network that is trusted; this machine needs no TLS")
    ca_file: str = _opt("", "the certificate authority's PEM file; default: those that the system trusts")
    redirect_to: tuple[str, ...] = _opt(
        (), "hosts that it may send us to for blobs, besides public ones with TLS; never with the credentials"
    )
    token_hosts: tuple[str, ...] = _opt((), "hosts that may be given the credentials for a token, besides itself")


@dataclass(frozen=True)
class Store:
    """Where the signed model goes: `[store]`."""

    to: tuple[str, ...] = _opt(
        ("local:.shipworthy/store",), "the stores: `local:FOLDER` or `oci://HOST[:PORT]/REPOSITORY`"
    )
    name: str = _opt("", "the name it is stored under; default: the project's")
    registries: Mapping[str, Registry] = _opt(dict, "how registries are reached, by `HOST[:PORT]`")


@dataclass(frozen=True)
class Reported:
    """A report of another tool that a run takes in: `[[import.reports]]`."""

    tool: str = _opt("", "who wrote it; `docs/tools.md` lists the tools, `sarif` stands for any that writes SARIF")
    path: str = _opt("", "the report, relative to the workspace")
    max_age_days: int = _opt(0, "how old it may be; 0: any age")
    base: str = _opt(
        "", "where the report's paths begin: `/src` of the container in which the tool ran, or a folder here"
    )
    stage: str = _opt("", "`scan` or `test`; default: `test` for tools that attack a service, else `scan`")


@dataclass(frozen=True)
class Import:
    """Reports of other tools: `[import]`. A gate requires one by `import:TOOL`."""

    reports: tuple[Reported, ...] = _opt((), "the reports; one that is missing or cannot be used fails")


@dataclass(frozen=True)
class HubSite:
    """The hub's pages: `[hub]`."""

    site: str = _opt(
        "",
        "where the site that `shipworthy hub build` made is published, such as `https://docs.example.org/hub`; reports "
        "link each finding to its rule's page there. Default: none, and reports name `shipworthy explain`",
    )


@dataclass(frozen=True)
class Settings:
    """Everything that the settings file can say."""

    pipeline: str = _opt("ml", "the pipeline of `shipworthy run` without a name: `ml`, `dev` or `all`")
    project: str = _opt("", "the project's name; default: the folder's")
    load: Load = _opt(Load, "what is looked at")
    scan: Scan = _opt(Scan, "how checks are run")
    checks: Mapping[str, Mapping[str, Any]] = _opt(dict, "options of single checks; `docs/checks/` lists them")
    tools: Mapping[str, str] = _opt(dict, "where wrapped programs are, by name; default: beside this Python, then PATH")
    import_: Import = _opt(Import, "reports of other tools")
    train: Train | None = _opt(None, "the training step")
    evaluate: Evaluate | None = _opt(None, "the evaluation step")
    image: Image = _opt(Image, "how the container image is built")
    service: Service = _opt(Service, "how the image is run")
    deploy: Deploy = _opt(Deploy, "what the deployment is held to")
    protect: Protect = _opt(Protect, "how the running service is guarded")
    gates: Mapping[str, Gate] = _opt(
        dict,
        "`before-train` and `before-sign` (ml); `before-build`, `before-release` and `after-deploy` (dev); of "
        "`shipworthy scan`: `scan`",
    )
    waivers: tuple[Waiver, ...] = _opt((), "findings that somebody answers for")
    sign: Sign = _opt(Sign, "who signs")
    log: Log = _opt(Log, "a transparency log of one's own")
    trust: Trust = _opt(Trust, "whose evidence is believed, and how much of it is demanded")
    store: Store = _opt(Store, "where the signed model goes")
    hub: HubSite = _opt(HubSite, "where the hub's pages are")
    digest: str = field(default="", metadata={"internal": True})
    source: Path | None = field(default=None, metadata={"internal": True})

    def gate(self, name: str) -> Gate:
        """The gate's policy: the settings', or the strict default."""
        return self.gates.get(name, Gate())
