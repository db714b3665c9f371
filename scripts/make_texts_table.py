"""Makes `src/shipworthy/modelfile/texts_names.txt`: names of libraries that models may ask for.

Read from the wheels, without importing anything, so that versions that exclude each other can be read together.

    pip download --no-deps -d wheels jinja2==3.1.6 transformers==4.57.1 mlflow==3.4.0 skops==0.16.0 ...
    python scripts/make_texts_table.py wheels/*.whl > src/shipworthy/modelfile/texts_names.txt

One line for each list: its name, a tab, the names.
- jinja-filters: keys of `FILTERS` (jinja2) and of `….filters[…] =` (transformers);
- jinja-globals: keys of `DEFAULT_NAMESPACE` and of `….globals[…] =`;
- mlflow-loaders: modules that define `_load_pyfunc`, which is what MLflow calls;
- skops-nodes: keys of `NODE_TYPE_MAPPING`;
- torchvision-operators: schemas in its library;
- diffusers-libraries: keys of `LOADABLE_CLASSES`, and the packages of pipelines, which stand for themselves.
"""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator

SCHEMA = re.compile(rb"\0(?:torchvision::)?([a-z_]\w+)\((?:(?:Tensor|int|float) \w+[,)]|\) -> int)")
Found = Iterator[tuple[str, str]]


def texts(node: ast.AST | None) -> Iterator[str]:
    """The keys of a dict that are texts, or that are tuples which begin with one."""
    for key in node.keys if isinstance(node, ast.Dict) else ():
        first = key.elts[0] if isinstance(key, ast.Tuple) and key.elts else key
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def assigned(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Every target of an assignment with its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign):
            yield node.target, node.value


def tables(tree: ast.AST, wanted: dict[str, str]) -> Found:
    """Keys of dicts that are assigned to the wanted names, and of items that are assigned to them."""
    for target, value in assigned(tree):
        inner = target.value if isinstance(target, ast.Subscript) else target
        name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""
        if name not in wanted:
            continue
        if isinstance(target, ast.Subscript):
            yield from ((wanted[name], key) for key in texts(ast.Dict([target.slice], [target.slice])))
        else:
            yield from ((wanted[name], key) for key in texts(value))


def read(package: str, path: str, source: bytes) -> Found:
    """The names in one file."""
    if package == "jinja2" and path in ("jinja2/filters.py", "jinja2/defaults.py"):
        yield from tables(ast.parse(source), {"FILTERS": "jinja-filters", "DEFAULT_NAMESPACE": "jinja-globals"})
    elif package == "transformers" and b"jinja_env" in source:
        yield from tables(ast.parse(source), {"filters": "jinja-filters", "globals": "jinja-globals"})
    elif package == "mlflow" and b"def _load_pyfunc" in source:
        if any(isinstance(node, ast.FunctionDef) and node.name == "_load_pyfunc" for node in ast.parse(source).body):
            yield "mlflow-loaders", path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    elif package == "skops" and b"NODE_TYPE_MAPPING" in source:
        yield from tables(ast.parse(source), {"NODE_TYPE_MAPPING": "skops-nodes"})
    elif package == "diffusers" and path.startswith("diffusers/pipelines/") and path.count("/") == 3:
        yield "diffusers-libraries", path.split("/")[2]
    elif package == "torchvision" and path.endswith(".so"):
        # schemas of operators are texts in the library, whole or without the namespace that they are defined in
        for name in re.findall(
            rb"\0(?:torchvision::)?([a-z_]\w+)\((?:(?:Tensor|int|float|SymInt) \w+[,)]| *\) -> int)", source
        ):
            yield "torchvision-operators", name.decode()
    elif package == "diffusers" and b"LOADABLE_CLASSES" in source:
        yield from tables(ast.parse(source), {"LOADABLE_CLASSES": "diffusers-libraries"})


def main() -> None:
    """Print the table."""
    found: dict[str, set[str]] = defaultdict(set)
    versions: dict[str, set[str]] = defaultdict(set)
    for wheel in sys.argv[1:]:
        package, version = wheel.rpartition("/")[2].lower().split("-")[:2]
        versions[package].add(version)
        with zipfile.ZipFile(wheel) as archive:
            for path in archive.namelist():
                if path.endswith((".py", "/_C.so", "/_C_stable.so")):
                    for table, name in read(package, path, archive.read(path)):
                        found[table].add(name)
    told = "; ".join(f"{package} {', '.join(sorted(seen))}" for package, seen in sorted(versions.items()))
    print(f"# Made by scripts/make_texts_table.py from {told}")
    for table in sorted(found):
        print(f"{table}\t{' '.join(sorted(found[table]))}")


if __name__ == "__main__":
    main()
