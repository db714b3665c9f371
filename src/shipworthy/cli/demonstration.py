"""The demonstration: both pipelines on an honest project, a verification, and attacks on copies of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from shipworthy.artifacts.repository import git
from shipworthy.cli.output import settings_for
from shipworthy.cli.progress import Progress
from shipworthy.cli.verify import print_chain
from shipworthy.config import Settings
from shipworthy.engine.events import Events
from shipworthy.engine.runner import Order, run_pipeline, runs_folder
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence.links import ChainResult
from shipworthy.evidence.oms import sign_model
from shipworthy.example import ATTACKS, Attack, DataChoice, create
from shipworthy.files import write_atomically
from shipworthy.keys import new_key, open_signer
from shipworthy.model import Run, Status
from shipworthy.model.roles import ROLES
from shipworthy.pipelines import PIPELINES
from shipworthy.reports import write_all
from shipworthy.reports.terminal import print_run
from shipworthy.stages.trust import believed
from shipworthy.stages.verification import image_of, verify_target
from shipworthy.stores.serve import serve
from shipworthy.tools import ToolFailed, ToolMissing

MARKER = ".shipworthy-demo"
_MADE = {"ml": (".shipworthy", "store", "model"), "dev": (".shipworthy",)}
"""What a copy is made without, as the pipeline makes it."""


@dataclass(frozen=True)
class Stopped:
    """Where an attack was stopped, and whether that is where it should be."""

    attack: Attack
    where: str
    exit_code: int
    told: str
    remedy: str
    as_expected: bool
    verdict: str
    report: Path


class Demonstration:
    """One folder with the project, its keys, and the attacked copies."""

    def __init__(self, folder: Path, data: DataChoice, quiet: bool) -> None:
        self.folder, self.data, self.quiet = folder, data, quiet
        self.console = Console(width=None if Console().is_terminal else 120)
        self.project = folder / "project"
        self.registry = ""

    def run(self, attack: str | None) -> int:
        """Run what was asked for; returns the exit code."""
        self._prepare()
        wanted = list(ATTACKS.values()) if attack == "all" else [ATTACKS[attack]] if attack else []
        if attack and attack != "all" and (wanted[0].pipeline, wanted[0].when) == ("ml", "before-run"):
            return self._one_attack(wanted[0])
        # An attack on the service needs a trained model; one on what is stored, what it is stored by.
        needed = ("ml",) if attack and attack != "all" and wanted[0].when == "before-run" else ("ml", "dev")
        with self._own_registry():
            for name in needed if attack != "swapped-model" else ("ml",):
                run = self._honest_run(name)
                code = run.exit_code or self._verify(name)
                if code:
                    verdict = run.verdict if run.exit_code else "NOT SHIPWORTHY: verify: see above"
                    self._last_lines(verdict, self._report(self.project, run.id))
                    return code
        if attack is None:
            self._last_lines(run.verdict, self._report(self.project, run.id))
            return 0
        if attack != "all":
            return self._one_attack(wanted[0])
        return self._all_attacks(wanted, run)

    def _prepare(self) -> None:
        """A fresh folder: one that a demonstration made is made anew, any other that is not empty is left alone."""
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            raise UsageError("is not a folder", where=str(self.folder), remedy="name a new one with --folder")
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / MARKER).is_file():
                raise UsageError(
                    "the folder is not empty", where=str(self.folder), remedy="name a new one with --folder"
                )
            shutil.rmtree(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot be made: {error.strerror}", where=str(self.folder), remedy="name another one with --folder"
            ) from None
        write_atomically(self.folder / MARKER, b"made by `shipworthy demo`, which may remove this folder\n")
        data = create(self.project, data=self.data)
        for role in ROLES:
            new_key(self.folder / "keys" / f"{role}.key")
        (self.project / "keys").mkdir(exist_ok=True)
        shutil.copyfile(self.folder / "keys" / "data.key.pub", self.project / "keys" / "data.pub")
        self._sign_data(self.project)
        self._commit(self.project)
        if not self.quiet:
            self.console.rule("[bold]Shipworthy: both pipelines on an example project[/]")
            self.console.print(f"project  {escape(str(self.project))}", highlight=False)
            self.console.print(
                f"data     {data.kind}: {data.train_rows} rows to train on, {data.holdout_rows} held out",
                highlight=False,
            )

    def _sign_data(self, project: Path) -> None:
        raw, _ = sign_model(project / "data", open_signer(f"file:{self.folder / 'keys' / 'data.key'}"))
        write_atomically(project / "data.sig", raw)

    def _commit(self, project: Path, message: str = "The example project") -> None:
        """Put the project in git, where there is git: the pipeline records the commit and looks at the history."""
        identity = ("-c", "user.name=Shipworthy demo", "-c", "user.email=demo@example.org")
        try:
            if not (project / ".git").exists():
                git(project, "init", "--quiet", "--initial-branch=main")
            git(project, "add", "--all")
            git(project, *identity, "commit", "--quiet", "--message", message)
        except (ToolMissing, ToolFailed) as error:
            self.console.print(f"[yellow]not in git:[/] {escape(str(error))}", highlight=False)

    @contextmanager
    def _own_registry(self) -> Iterator[None]:
        """A registry on this machine, for as long as the honest project runs: what is deployed and verified is pulled
        from there. The folder that the project's settings name gets the same."""
        with serve(self.folder / "registry") as self.registry:
            try:
                yield
            finally:
                self.registry = ""

    def _settings(self, project: Path) -> Settings:
        settings = settings_for(project, None)
        if not self.registry:
            return settings
        to = (f"oci://{self.registry}/demo/{settings.store.name}", *settings.store.to)
        return replace(settings, store=replace(settings.store, to=to))

    def _pipeline(self, project: Path, name: str, quiet: bool) -> Run:
        with Progress(quiet) as progress:
            run = run_pipeline(Order(project, self._settings(project), PIPELINES[name], events=Events([progress])))
        write_all(run, runs_folder(project) / run.id)
        return run

    def _honest_run(self, name: str) -> Run:
        if not self.quiet:
            self.console.rule(f"[bold]shipworthy run {name}: {PIPELINES[name].title}[/]")
        run = self._pipeline(self.project, name, self.quiet)
        print_run(run, self.console, quiet=self.quiet)
        return run

    def _chain(self, project: Path, name: str) -> ChainResult:
        settings = self._settings(project)
        target = image_of(settings, project) if name == "dev" else ""
        return verify_target(target, settings, project, believed(settings, project))

    def _verify(self, name: str) -> int:
        if not self.quiet:
            self.console.rule(f"[bold]shipworthy verify{' IMAGE' if name == 'dev' else ''}[/]")
        result = self._chain(self.project, name)
        print_chain(result, self.quiet)
        return 0 if result.ok else 4

    def _attack(self, attack: Attack) -> Stopped:
        """Copy the project, plant, and see where it ends."""
        project = self.folder / "attacks" / attack.name / "project"
        left_out = () if attack.when == "after-run" else _MADE[attack.pipeline]
        shutil.copytree(self.project, project, ignore=lambda d, _: left_out if Path(d) == self.project else ())
        (project.parent / "keys").symlink_to(os.path.relpath(self.folder / "keys", project.parent))
        attack.plant(project)
        if attack.resign:
            self._sign_data(project)
        if attack.after_commit:
            self._commit(project, "Planted")
            attack.after_commit(project)
            self._commit(project, "Removed again")
        return self._verified(attack, project) if attack.when == "after-run" else self._ran(attack, project)

    def _ran(self, attack: Attack, project: Path) -> Stopped:
        run = self._pipeline(project, attack.pipeline, quiet=True)
        last = next((stage for stage in run.stages if stage.status is not Status.PASSED), run.stages[-1])
        rules = {reason.code for d in run.decisions for reason in d.reasons} | {last.note.partition(":")[0]}
        rules |= {finding.rule.id for check in last.checks for finding in check.findings}
        seen = attack.rule is None or attack.rule in rules or attack.rule in last.note
        expected = (last.stage, run.exit_code) == (attack.stage, attack.exit_code) and seen
        report = self._report(project, run.id)
        return Stopped(attack, last.stage, run.exit_code, last.note, last.remedy, expected, run.verdict, report)

    def _verified(self, attack: Attack, project: Path) -> Stopped:
        result = self._chain(project, attack.pipeline)
        first = result.first_broken
        code = 0 if result.ok else 4
        told = f"{first.step} {first.name}: {first.reason}" if first else "nothing was noticed"
        expected = code == attack.exit_code and attack.stage == "verify"
        verdict = f"NOT SHIPWORTHY: verify: {told}" if first else "SHIPWORTHY"
        newest = max(runs_folder(project).iterdir()).name
        report = self._report(project, newest)
        return Stopped(attack, "verify", code, told, first.remedy if first else "", expected, verdict, report)

    def _one_attack(self, attack: Attack) -> int:
        result = self._attack(attack)
        self._tell(result)
        self._last_lines(f"\n{result.verdict}", result.report)
        return result.exit_code

    def _report(self, project: Path, run_id: str) -> Path:
        return runs_folder(project) / run_id / "report.html"

    def _last_lines(self, verdict: str, report: Path) -> None:
        """However a demonstration ends: the verdict, and where the report is."""
        for line in (verdict, f"report: {report}"):
            self.console.print(escape(line), highlight=False, soft_wrap=True)

    def _all_attacks(self, attacks: list[Attack], run: Run) -> int:
        if not self.quiet:
            self.console.rule(f"[bold]{len(attacks)} planted attacks, each in a copy of the project[/]")
        results = []
        for attack in attacks:
            results.append(self._attack(attack))
            self._tell(results[-1])
        stopped = sum(result.as_expected for result in results)
        self.console.print(f"\n{stopped} of {len(results)} attacks were stopped at their stage", highlight=False)
        self._last_lines(f"the honest project: {run.verdict}", self._report(self.project, run.id))
        return 0 if stopped == len(results) else 1

    def _tell(self, result: Stopped) -> None:
        mark = "[green]stopped[/]" if result.as_expected else "[red]NOT AS IT SHOULD BE[/]"
        self.console.print(f"\n[bold]{result.attack.name}[/]  {escape(result.attack.title)}", highlight=False)
        self.console.print(f"  {mark} at {result.where}, exit code {result.exit_code}", highlight=False)
        self.console.print(f"  why         {escape(result.told)}", highlight=False)
        if result.remedy:
            self.console.print(f"  what to do  {escape(result.remedy)}", highlight=False)
