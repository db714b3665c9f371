"""A package imports only from a layer above it, and packages of one layer do not import each other."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "shipworthy"
ORDER = (
    "errors model files paths patterns records rules user_folders",
    "config check tools modelfile images look",
    "artifacts checks compliance gates evaluation training building serving "
    "evidence tlog keys stores example witnesses hub",
    "engine guard stages pipelines reports server site",
    "cli __main__",
)
LAYERS = {name: number for number, names in enumerate(ORDER) for name in names.split()}
# In their own layer: a check is declared with the tools that it wraps; stages run in the engine, pipelines order them.
ALLOWED = {
    ("check", "tools"),
    ("images", "modelfile"),  # a layer may be packed with Zstandard, of which there is one decoder
    ("stages", "engine"),
    ("stages", "guard"),
    ("pipelines", "engine"),
    ("pipelines", "stages"),
    ("model", "errors"),
    ("model", "patterns"),
    ("model", "records"),
    ("errors", "patterns"),
    ("paths", "patterns"),
    ("rules", "records"),
    ("files", "errors"),
    ("paths", "errors"),
    ("rules", "model"),
    ("__main__", "cli"),
}


def imports(path: Path) -> set[str]:
    """The top packages of shipworthy that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "shipworthy" else [node.module]
        found |= {name.split(".")[1] for name in names if name.startswith("shipworthy.")}
    return found


def test_every_import_points_up() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if own == "__init__" or "project" in path.relative_to(SOURCE).parts:
            continue
        for other in imports(path) - {own, "__version__"}:
            if (own, other) not in ALLOWED and not LAYERS[other] < LAYERS[own]:
                wrong.append(
                    f"{path.relative_to(SOURCE)} (layer {LAYERS[own]}) imports {other} (layer {LAYERS[other]})"
                )
    assert not wrong, "\n".join(wrong)


def test_every_package_has_a_layer() -> None:
    names = {p.name.removesuffix(".py") for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert names - {"__init__"} <= set(LAYERS)
