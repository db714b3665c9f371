"""Where the settings ask for less than the defaults do. A repository brings its own settings: what they let pass is for
whoever reads the report to judge, so it is told beside the decision, and signed with it."""

from __future__ import annotations

from shipworthy.config import Gate, Settings
from shipworthy.model import Confidence, Severity

WEAKER = "weaker than the default"


def weaker(name: str, settings: Settings) -> list[str]:
    """What the gate of this name, and the stages that it decides on, leave undone that they do by default."""
    told = _gate(settings.gate(name))
    if name in ("before-train", "before-build", "scan"):
        told += _scan(settings)
    if name == "before-sign" and settings.train and settings.train.sandbox == "none":
        told.append('[train] sandbox = "none": training ran without a sandbox')
    if name == "before-sign" and settings.evaluate and settings.evaluate.sandbox == "none":
        told.append('[evaluate] sandbox = "none": the evaluation ran without a sandbox')
    if name == "before-release" and settings.image.network:
        told.append("[image] network = true: the build could fetch what nobody looked at")
    if name == "after-deploy" and settings.protect.mode != "block":
        what = "records attacks, and refuses none" if settings.protect.mode == "watch" else "looks at nothing"
        told.append(f'[protect] mode = "{settings.protect.mode}": the guard {what}')
    return [f"{WEAKER}: {text}" for text in told]


def _gate(policy: Gate) -> list[str]:
    default, told = Gate(), []
    if policy.fail_on == "never":
        told.append('fail-on = "never": no finding stops this gate')
    elif Severity(policy.fail_on).rank > Severity(default.fail_on).rank:
        told.append(f'fail-on = "{policy.fail_on}": findings of less severity do not stop this gate')
    if Confidence(policy.min_confidence).rank > Confidence(default.min_confidence).rank:
        told.append(f'min-confidence = "{policy.min_confidence}": findings of less confidence do not stop this gate')
    if policy.only_new:
        told.append("only-new = true: findings of the baseline do not stop this gate")
    if not policy.require:
        told.append("require = []: a check that did not look does not stop this gate")
    return told


def _scan(settings: Settings) -> list[str]:
    told = []
    if "*" not in settings.scan.checks:
        told.append(f"[scan] checks: only {', '.join(settings.scan.checks)[:200] or 'none'} are run")
    if settings.scan.skip:
        told.append(f"[scan] skip: {', '.join(settings.scan.skip)[:200]} are not run")
    return told
