"""Functions inside an ONNX model: which exist, and how large the model becomes when calls are replaced by them.

A function that reaches itself, or a few that call each other many times, make a small file expand without end.
"""

from __future__ import annotations

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope

Name = tuple[str, str]
_EXPANDED = 10_000_000


class Functions:
    """Collects what each function calls while the model is walked."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.bodies: dict[Name, dict[Name, int]] = {}
        self.current: dict[Name, int] = {}
        self.span = (0, 0)

    def begin(self, name: Name, low: int, high: int) -> None:
        """The nodes in [low, high) belong to this function."""
        if name in self.bodies:
            text = f"two functions are named {ascii(':'.join(name))[:120]}: loaders differ in which one they take"
            self.scope.issue(Code.CONTAINER_TAMPERED, "medium", text, low)
        self.current = self.bodies.setdefault(name, {})
        self.span = (low, high)

    def use(self, operator: Name, at: int) -> None:
        """A node of the model or of a function."""
        if self.span[0] <= at < self.span[1]:
            self.current[operator] = self.current.get(operator, 0) + 1

    def judge(self) -> None:
        """Report loops and explosions."""
        sizes: dict[Name, int] = {}
        for start in self.bodies:
            active = {start}
            pending = [(start, iter(self.bodies[start]))] if start not in sizes else []
            while pending:
                name, calls = pending[-1]
                called = next((item for item in calls if item in self.bodies and item not in sizes), None)
                if called is None:
                    pending.pop()
                    active.discard(name)
                    size = sum(count * sizes.get(item, 1) for item, count in self.bodies[name].items())
                    sizes[name] = min(max(size, 1), _EXPANDED + 1)
                elif called in active:
                    text = f"the function {ascii(':'.join(called))[:120]} calls itself: a loader expands it without end"
                    self.scope.issue(Code.BOMB, "high", text)
                    return
                else:
                    active.add(called)
                    pending.append((called, iter(self.bodies[called])))
        if any(size > _EXPANDED for size in sizes.values()):
            text = f"its functions expand to more than {_EXPANDED} nodes"
            self.scope.issue(Code.BOMB, "high", text)
