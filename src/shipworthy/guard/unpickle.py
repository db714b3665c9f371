"""Unpickling with nothing but the names that the scan saw and allowed."""

from __future__ import annotations

import importlib
import io
import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any

from shipworthy.errors import ModelRefusedError
from shipworthy.modelfile.pickles.names import loader_name, standing_of
from shipworthy.patterns import regex

_JOBLIB = ("joblib.numpy_pickle", "NumpyArrayWrapper")


class Names:
    """What a pickle may import: exactly what the scan of its bytes reported, as far as the policy allows each name."""

    def __init__(self, seen: Iterable[str], trust: Sequence[str]) -> None:
        self._seen = frozenset(seen)
        self._trust = tuple(trust)

    def find(self, module: str, name: str) -> Any:
        """The object. Raises UnpicklingError for any other name.

        Protocols below 3 rename Python 2's modules (`fix_imports`). The stream's protocol is not told here, so a name
        may be meant either way; what it is taken for is in both cases judged by the policy.
        """
        if f"{module}:{name}" in self._seen:
            for mapped, mapped_name in dict.fromkeys((loader_name(module, name, 2), (module, name))):
                if standing_of(mapped, mapped_name, self._trust, pickled=True).allowed:
                    return self._guarded(mapped, mapped_name)
        raise pickle.UnpicklingError(
            f"it imports {ascii(f'{module}:{name}')[1:-1][:200]}, which the scan did not allow"
        )

    def _guarded(self, module: str, name: str) -> Any:
        """The object itself, or what does the same with this policy where it would unpickle more bytes on its own."""
        if (module, name) == _JOBLIB:
            return _array_wrapper(self)
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return _torch_bytes
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found


def unpickle(stream: IO[bytes], names: Names) -> Any:
    """The first pickle of a stream. Raises what the pickle module raises."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            return names.find(module, name)

    return Unpickler(stream, fix_imports=False).load()


def unpickle_joblib(stream: IO[bytes], names: Names) -> Any:
    """As `unpickle`, with joblib's arrays behind their wrappers. Raises what joblib raises; ImportError without it."""
    import inspect

    base: Any = importlib.import_module("joblib.numpy_pickle").NumpyUnpickler

    class Unpickler(base):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            return names.find(module, name)

    wanted = inspect.signature(base.__init__).parameters
    options = {"ensure_native_byte_order": True} if "ensure_native_byte_order" in wanted else {}
    return Unpickler("", stream, **options).load()


def _array_wrapper(names: Names) -> Any:
    """The wrapper of joblib; it would unpickle arrays of objects with no limit."""
    base: Any = importlib.import_module(_JOBLIB[0]).NumpyArrayWrapper

    class Wrapper(base):  # type: ignore[misc]
        def read_array(self, unpickler: Any, *more: Any, **options: Any) -> Any:
            if not self.dtype.hasobject:
                return super().read_array(unpickler, *more, **options)
            return unpickle(unpickler.file_handle, names)

    return Wrapper


def _torch_bytes(data: bytes) -> Any:
    torch: Any = importlib.import_module("torch")
    return torch.load(io.BytesIO(data), weights_only=True)


def guarded(load: Callable[[], Any], library: str, where: str, report: object) -> Any:
    """Run a framework's loader; what it raises is told as a refusal. Raises ModelRefusedError, or ImportError's like
    for a library that is not there.
    """
    from shipworthy.errors import EnvironmentFailure, ShipworthyError

    try:
        return load()
    except ShipworthyError:
        raise
    except ModuleNotFoundError as error:
        raise EnvironmentFailure(
            f"loading it needs {ascii(error.name or '?')[1:-1][:80]}, which is not installed",
            where=where,
            remedy=f"install it beside shipworthy: pip install {(error.name or library).partition('.')[0]}",
        ) from error
    except MemoryError as error:
        raise EnvironmentFailure("there is not enough memory to load it", where=where) from error
    except Exception as error:
        raise ModelRefusedError(
            f"{library} does not load it: {_own_words(library, error)}",
            where=where,
            remedy=_REMEDIES.get(library, "write it again with the library's own save function"),
            report=report,
        ) from error


def _own_words(library: str, error: Exception) -> str:
    """Torch's message is made for terminals, and advises to load the file without its safe mode."""
    refused = _REFUSED.search(str(error)) if library == "torch" else None
    if refused:
        return f"its safe mode takes tensors and plain containers, and the file needs {refused[1]}"
    return ascii(str(error))[1:-1][:300] or type(error).__name__


_REFUSED = regex(r"(?:GLOBAL|Unsupported (?:class|global)) ([A-Za-z_][\w.]{0,199})")
_REMEDIES = {
    "torch": "save the model's state_dict, or convert it to safetensors; a class that you know can be let in before: "
    "torch.serialization.add_safe_globals([TheClass])",
    "keras": "save the model again without Lambda layers and foreign classes, or build it in code and load its weights",
    "numpy": "arrays of objects are pickles: save plain arrays",
}
