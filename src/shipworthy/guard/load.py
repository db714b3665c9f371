"""`shipworthy.load`: hold, verify, scan, load."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shipworthy.errors import EvidenceError, ModelRefusedError, UsageError
from shipworthy.guard.held import SIZE_LIMIT, Held
from shipworthy.modelfile import Code, Limits, Report, scan_view
from shipworthy.patterns import listed, regex

if TYPE_CHECKING:
    from shipworthy.guard.signed import Key, Signature

Framework = Literal["numpy", "torch"]
UNKNOWN = "unknown"
_NEVER = frozenset(
    (
        Code.CODE_EXECUTION,
        Code.UNKNOWN_CALLABLE,
        Code.UNKNOWN_NAME,
        Code.STATE_TAMPERING,
        Code.KERAS_LAMBDA,
        Code.KERAS_FOREIGN_CLASS,
    )
)


def load(
    path: str | os.PathLike[str],
    *,
    signature: str | os.PathLike[str] | bytes | None = None,
    trusted: Sequence[Key] = (),
    digest: str = "",
    trust: Sequence[str] | str = (),
    accept: Collection[str] = (),
    framework: Framework = "numpy",
    limit: int = SIZE_LIMIT,
) -> Any:
    """Load a model, if the very bytes that are loaded may be.

    The file is read once and held; that copy is hashed, its signature checked, scanned, and loaded by the framework of
    its format in its safest mode: pickle and joblib with no name but those that the scan saw and allowed; torch with
    `weights_only`; Keras with `safe_mode`; NumPy without pickles; ONNX from bytes; safetensors, also by its index.

    `signature` is a model signature (`model.sig`: a path or its bytes) that one of the `trusted` public keys (paths
    or keys) must have made over these bytes; `digest` is the `sha256:…` that is expected. `trust` holds patterns of
    `module:qualname` that you vouch for, or is one. Anything that the scan finds or can't read refuses the file, unless
    `accept` names it: by the code of the issue (`bomb`), the rule of the finding (`model-decompression-bomb`), or
    `unknown`. What would run code can't be accepted, only vouched for. `framework` says what safetensors become:
    numpy arrays or torch tensors. `limit` is in bytes, for each file.

    Returns what the framework returns: for .npz a dict of arrays, for safetensors a dict of tensors, for ONNX a
    ModelProto. Raises ModelRefusedError (with the scan's `report`), EvidenceError when signature or digest do not fit,
    UsageError, EnvironmentFailure.
    """
    where = _place(path)
    accept = accept if isinstance(accept, str) else {_code(item) for item in accept}
    _check_options(signature, trusted, accept, framework)
    expected = _digest(digest)
    from shipworthy.guard import frameworks

    verified: Signature | None = None
    if signature is not None:
        from shipworthy.guard.signed import open_signature

        raw = signature if isinstance(signature, bytes) else Path(os.fspath(signature))
        verified = open_signature(raw, trusted)
    order = Order(verified, listed(trust), frozenset(accept), framework, limit)
    with Held(where, limit=limit) as held:
        if expected and held.digest != expected:
            raise EvidenceError(
                f"the bytes are not the expected ones: {held.digest}, expected {expected}",
                where=held.name,
                remedy="find out why it changed before you change the expected digest",
            )
        return frameworks.load(held, order.admit(held), order)


class Order:
    """What was asked of one `load`: the same for every file that the model is made of."""

    def __init__(
        self,
        signature: Signature | None,
        trust: tuple[str, ...],
        accept: frozenset[str],
        framework: Framework,
        limit: int,
    ) -> None:
        self.signature, self.trust, self.accept = signature, trust, accept
        self.framework, self.limit = framework, limit

    def admit(self, held: Held) -> Report:
        """Check the signature of held bytes, then scan them. Raises ModelRefusedError, EvidenceError."""
        if self.signature is not None:
            self.signature.check(held)
        report = scan_view(held.view, limits=Limits(), trust=self.trust)
        wrong = [issue for issue in report.issues if issue.code not in self.accept]
        if wrong:
            worst = wrong[0]
            place = f" ({worst.where})" if str(worst.where) else ""
            more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise ModelRefusedError(
                f"it is not loaded: {worst.severity} {worst.code}: {worst.message}{place}{more}",
                where=held.name,
                remedy=_remedy(worst.code, held.name),
                report=report,
            )
        if report.unknowns and UNKNOWN not in self.accept:
            more = f" (and {len(report.unknowns) - 1} more)" if len(report.unknowns) > 1 else ""
            apart = "not at hand" in report.unknowns[0]
            why = report.unknowns[0].replace("which was not at hand", "which is not looked at here")
            raise ModelRefusedError(
                f"it is not loaded, because not all of it could be judged: {why}{more}",
                where=held.name,
                remedy="models of several files are loaded only as safetensors by their index: save it as one file"
                if apart
                else 'if you know the file, accept that by name: accept={"unknown"}',
                report=report,
            )
        return report


def _remedy(code: Code, name: str) -> str:
    if code in (Code.UNKNOWN_CALLABLE, Code.UNKNOWN_NAME, Code.KERAS_FOREIGN_CLASS, Code.CUSTOM_OPERATOR):
        return 'if it is your own code, vouch for it: trust=["mypackage.models:*"]; if not, ask for safetensors or ONNX'
    return f"find out who made the file and how it got here; `shipworthy scan {name}` explains all that was found"


def _check_options(signature: object, trusted: Sequence[Key], accept: Collection[str], framework: str) -> None:
    if trusted and signature is None:
        raise UsageError(
            "keys are trusted, but no signature is given: nothing would be verified",
            where="shipworthy.load",
            remedy='give it: signature="model.sig"',
        )
    if isinstance(trusted, str) or isinstance(accept, str):
        raise UsageError("`trusted` and `accept` are lists", where="shipworthy.load", remedy="put it in brackets")
    if strange := sorted(set(accept) - {*Code, UNKNOWN}):
        raise UsageError(
            f"there is no issue of the code {strange[0]!r}",
            where="shipworthy.load: accept",
            remedy=f"the codes: {', '.join(sorted((*Code, UNKNOWN)))}",
        )
    if never := sorted(set(accept) & _NEVER):
        raise UsageError(
            f"{never[0]!r} can't be accepted: loading would run what the file says",
            where="shipworthy.load: accept",
            remedy='vouch for your own names instead: trust=["mypackage.models:*"]',
        )
    if framework not in ("numpy", "torch"):
        raise UsageError(f"safetensors become no {framework!r}", where="shipworthy.load", remedy="numpy or torch")


def _code(given: str) -> str:
    """The code of an issue, which the id of a finding's rule is made of (`model-custom-operator`)."""
    code = _OTHERS.get(given) or given.removeprefix("model-").removeprefix("config-")
    return code if code in {*Code} else given


_OTHERS = {"model-decompression-bomb": Code.BOMB}


def _digest(given: str) -> str:
    """The expected digest as it is compared; empty when none is expected."""
    if not given:
        return ""
    text = given.lower().removeprefix("sha256:") if isinstance(given, str) else ""
    if not _SHA256.fullmatch(text):
        raise UsageError(
            f"{ascii(given)[:80]} is no SHA-256 digest",
            where="shipworthy.load: digest",
            remedy="give its 64 hex digits, with or without `sha256:` before them",
        )
    return f"sha256:{text}"


_SHA256 = regex(r"[0-9a-f]{64}")


def _place(path: object) -> Path:
    """The path of the model. An address is told of as it was given, which no path keeps."""
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str):
        raise UsageError(
            f"a model is given by its path, not as {type(path).__name__}",
            where="shipworthy.load",
            remedy="write the bytes into a file first" if isinstance(path, bytes) else "give a str or a pathlib.Path",
        )
    if _ADDRESS.match(text):
        remedy = "fetch it first: what is loaded has to lie here"
        raise UsageError("addresses are not loaded", where=text, remedy=remedy)
    return Path(text)


_ADDRESS = regex(r"[A-Za-z][A-Za-z0-9+.-]*://")
