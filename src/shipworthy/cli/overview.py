"""`shipworthy` alone: what is here, and what would be looked at."""

from __future__ import annotations

import argparse
from pathlib import Path


def run(_options: argparse.Namespace) -> int:
    """Discover and tell; nothing is checked."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from shipworthy.artifacts import discover, git_state
    from shipworthy.config import find_settings, load_settings
    from shipworthy.engine.selection import select
    from shipworthy.model import Kind

    console, root = Console(), Path()
    source = find_settings(root)
    settings = load_settings(source)
    inventory = discover(root, load=settings.load, exclude=settings.scan.exclude)
    state = git_state(root)
    console.print(f"[bold]{escape(settings.project or root.resolve().name)}[/]", highlight=False)
    console.print(f"settings  {source or 'none: the defaults hold (shipworthy init writes some)'}", highlight=False)
    git = "not a git repository"
    if state is not None:
        git = f"{state.branch} at {state.commit[:12]}" if state.commit else f"{state.branch}, no commits yet"
    console.print(f"git       {escape(git)}", highlight=False)
    table = Table(title="What is here", title_justify="left", show_edge=False)
    for column in ("kind", "files", "for example", "checks that would look"):
        table.add_column(column, justify="right" if column == "files" else "left", overflow="fold")
    checks = select(settings)
    for kind in Kind:
        artifacts = inventory.of(kind)
        if artifacts:
            names = ", ".join(c.name for c in checks if c.scope != "tree" and any(map(c.looks_at, artifacts))) or "none"
            table.add_row(kind.value, str(len(artifacts)), escape(artifacts[0].uri), names)
    if table.row_count:
        console.print(table)
    else:
        console.print("[yellow]nothing to look at here[/]", highlight=False)
    over = [check.name for check in checks if check.scope == "tree"]
    console.print(f"over the whole tree: {', '.join(over) or 'none'}", highlight=False)
    if inventory.unreadable:
        console.print(
            f"[yellow]cannot be looked at: {len(inventory.unreadable)}[/] (links, unreadable or special files)"
        )
    if inventory.left_out:
        console.print(f"left out: {escape(', '.join(inventory.left_out[:8]))}", highlight=False)
    console.print(
        "\nnext: [bold]shipworthy scan .[/] looks at it all and decides; [bold]shipworthy --help[/] lists the rest"
    )
    return 0
