"""Makes Paddle's tables in `src/shipworthy/modelfile/graphs/`: messages of a program, and operators.

    pip install paddlepaddle; python scripts/make_paddle_tables.py

Messages in the columns of make_graph_tables.py. Operators: those of the old programs (.pdmodel), then those of the
new ones (`pir` in front).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "src" / "shipworthy" / "modelfile" / "graphs"
LETTERS = {1: "q", 2: "d", 3: "v", 4: "v", 5: "v", 6: "q", 7: "d", 8: "v", 9: "s", 11: "m", 12: "b", 13: "v", 14: "e",
           15: "d", 16: "q", 17: "v", 18: "v"}  # fmt: skip


def messages(root: Any) -> list[str]:
    """One line per message that the root can hold."""
    pending, lines = [root], {}
    while pending:
        message = pending.pop()
        if message.full_name in lines:
            continue
        cells = []
        for field in message.fields:
            letter = LETTERS[field.type]
            letter = letter.upper() if field.is_repeated else letter
            inner = f":{field.message_type.full_name}" if field.message_type else ""
            cells.append(f"{field.number}:{letter}:{field.name}{inner}")
            if field.message_type:
                pending.append(field.message_type)
        lines[message.full_name] = "\t".join([message.full_name, *cells])
    return [lines[name] for name in sorted(lines)]


def main() -> None:
    """Write both tables."""
    import paddle
    from paddle.base import core
    from paddle.base.proto import framework_pb2

    head = ["# Made by scripts/make_paddle_tables.py; not edited by hand.", f"# paddlepaddle {paddle.__version__}"]
    (TARGET / "paddle_messages.txt").write_text(
        "\n".join([*head, *messages(framework_pb2.ProgramDesc.DESCRIPTOR)]) + "\n"
    )
    old = {*core.get_all_op_names(), "feed", "fetch"}
    new = {f"pir {name.removesuffix('_')}" for name in dir(paddle._C_ops) if not name.startswith("_")}
    (TARGET / "paddle_operators.txt").write_text("\n".join([*head, *sorted(old | new)]) + "\n")


if __name__ == "__main__":
    main()
