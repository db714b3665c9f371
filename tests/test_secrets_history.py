"""Secrets in the git history of repositories that nobody has vouched for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import secrets_material as make
from secrets_material import compiled_rules, git  # noqa: F401
from shipworthy.check import Context, NotApplicable, Skipped
from shipworthy.checks.secrets import _git, history
from shipworthy.model import Artifact, Finding
from shipworthy.tools import Toolbox, ToolFailed

CHECK = history.run.check


def commit(root: Path, message: str = "work") -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "README").write_text("a project\n")
    commit(root, "begin")
    return root


def tree(root: Path) -> tuple[Artifact, ...]:
    paths = sorted(p for p in root.rglob("*") if p.is_file() and ".git" not in p.relative_to(root).parts)
    return tuple(make.artifact(path, root) for path in paths)


def look(root: Path, **options: int) -> tuple[list[Finding], list[Skipped]]:
    return make.run(CHECK, tree(root), root, **options)


def test_what_was_removed_is_found_with_its_commit_and_what_is_still_there_is_not_repeated(repository: Path) -> None:
    gone, kept, word = make.slack(1), make.hugging_face(2), make.password()
    (repository / "old.py").write_text(f'T = "{gone}"\npassword = "{word}"\n')
    (repository / "kept.py").write_text(f'T = "{kept}"\n')
    first = commit(repository)
    (repository / "old.py").write_text(f'# changed\nT = "{gone}"\npassword = "{word}"\n')
    commit(repository)
    (repository / "old.py").unlink()
    (repository / "kept.py").rename(repository / "renamed.py")
    commit(repository)
    findings, skipped = look(repository)
    assert not skipped
    assert {(f.rule.id, f.artifact.uri, f.location.commit) for f in findings} == {
        ("secret-token", "old.py", first),
        ("secret-password", "old.py", first),
    }
    assert not any(make.shows(f, secret) for f in findings for secret in (gone, kept, word))


def test_every_place_that_a_clone_carries_is_looked_at(repository: Path) -> None:
    secrets = {name: make.slack(10 + i) for i, name in enumerate(("branch", "tag", "stash", "merge", "message", "odd"))}
    git(repository, "checkout", "-q", "-b", "side")
    (repository / "b.py").write_text(f'T = "{secrets["branch"]}"\n')
    commit(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "t.py").write_text(f'T = "{secrets["tag"]}"\n')
    commit(repository)
    git(repository, "tag", "-a", "v1", "-m", "release")
    git(repository, "reset", "-q", "--hard", "HEAD^")
    (repository / "README").write_text(f'T = "{secrets["stash"]}"\n')
    git(repository, "stash", "-q")
    # A merge that brings in what neither of its parents had, and takes back what the side had.
    git(repository, "merge", "-q", "--no-ff", "--no-commit", "side")
    (repository / "b.py").unlink()
    (repository / "m.py").write_text(f'T = "{secrets["merge"]}"\n')
    commit(repository, f"merge, with {secrets['message']}")
    (repository / "m.py").unlink()
    odd = repository / "o dd\né%.py"
    odd.write_text(f'T = "{secrets["odd"]}"\n')
    commit(repository)
    odd.unlink()
    commit(repository)
    findings, skipped = look(repository)
    assert not skipped
    assert len(findings) == len(secrets)
    assert {f.artifact.uri for f in findings} >= {"b.py", "t.py", "README", "m.py", "git:commit-messages"}
    # Git gives the path up to the newline; it is shown encoded, and never raw.
    assert any(f.artifact.uri.startswith("o dd") for f in findings)
    assert all(f.artifact.uri.isprintable() for f in findings)
    assert all(f.location.commit for f in findings if not f.artifact.uri.startswith("o dd"))


def test_a_shallow_clone_and_limits_are_said(repository: Path, tmp_path: Path) -> None:
    (repository / "big.txt").write_text("x" * 5000)
    for number in range(3):
        (repository / "README").write_text(f"{number}\n")
        commit(repository)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(shallow))
    _, skipped = look(shallow)
    assert "shallow" in skipped[0].reason
    _, skipped = look(repository, **{"max-bytes": 1000, "max-commits": 2, "max-total-bytes": 100})
    reasons = " ".join(skip.reason for skip in skipped)
    assert "max-bytes" in reasons
    assert "max-commits" in reasons
    assert "max-total-bytes" in reasons


def test_without_a_history_it_is_not_applicable(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="no git repository"):
        look(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(NotApplicable, match="no commits"):
        look(tmp_path)


def test_of_a_larger_repository_only_the_workspace_is_looked_at(repository: Path) -> None:
    for folder, seed in (("ours", 1), ("theirs", 2)):
        (repository / folder).mkdir()
        (repository / folder / "x.py").write_text(f'T = "{make.slack(seed)}"\n')
        (repository / folder / "y.py").write_text("y = 1\n")
    commit(repository)
    for folder in ("ours", "theirs"):
        (repository / folder / "x.py").unlink()
    commit(repository)
    findings, _ = look(repository / "ours")
    assert [f.artifact.uri for f in findings] == ["x.py"]
    (repository / "new").mkdir()
    with pytest.raises(NotApplicable, match="does not track"):
        look(repository / "new")


def test_the_repositorys_own_configuration_runs_nothing_and_hides_nothing(repository: Path, tmp_path: Path) -> None:
    (repository / "x.py").write_text(f'T = "{make.slack()}"\n')
    bad = commit(repository)
    (repository / "x.py").unlink()
    clean = commit(repository)
    ran = tmp_path / "ran"
    trap = make.program(tmp_path, f'touch "{ran}"; cat')
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "core.editor", "diff.x.textconv"):
        git(repository, "config", key, trap)
    git(repository, "config", "core.hooksPath", str(tmp_path))
    git(repository, "config", "remote.origin.url", f"ext::{trap}")
    git(repository, "config", "remote.origin.promisor", "true")
    (repository / ".git" / "info" / "attributes").write_text("* diff=x filter=x\n")
    # Another history in place of the real one, by a replacement and by a graft.
    tree_id = git(repository, "rev-parse", f"{clean}^{{tree}}")
    other = git(repository, "commit-tree", tree_id, "-m", "nothing to see")
    git(repository, "replace", clean, other)
    (repository / ".git" / "info" / "grafts").write_text(f"{clean}\n")
    ran.unlink(missing_ok=True)
    findings, _ = look(repository)
    assert [(f.artifact.uri, f.location.commit) for f in findings] == [("x.py", bad)]
    assert not ran.exists()


def test_a_damaged_repository_is_a_failure(repository: Path) -> None:
    (repository / "x.py").write_text("x = 1\n")
    commit(repository)
    blob = git(repository, "rev-parse", "HEAD:x.py")
    loose = repository / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"damaged")
    with pytest.raises(ToolFailed):
        look(repository)
    loose.unlink()
    _, skipped = look(repository)
    assert "not in this clone" in skipped[0].reason
    (repository / ".git" / "HEAD").write_text("nonsense")
    with pytest.raises(ToolFailed):
        look(repository)


def test_a_linked_worktree_has_the_history_of_its_repository(repository: Path, tmp_path: Path) -> None:
    (repository / "x.py").write_text(f'T = "{make.slack()}"\n')
    commit(repository)
    (repository / "x.py").unlink()
    commit(repository)
    git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    findings, _ = look(tmp_path / "linked")
    assert [f.artifact.uri for f in findings] == ["x.py"]


def test_the_cached_result_ends_with_a_new_commit_or_reference(repository: Path) -> None:
    assert CHECK.cache_on
    context = Context(repository, tools=Toolbox())
    states = [CHECK.cache_on(context), CHECK.cache_on(context)]
    assert states[0] == states[1] != ""
    commit(repository)
    git(repository, "branch", "other", "HEAD^")
    states.append(CHECK.cache_on(context))
    git(repository, "branch", "-D", "other")
    git(repository, "checkout", "-q", "--orphan", "new")
    git(repository, "rm", "-rfq", ".")
    commit(repository)
    states.append(CHECK.cache_on(context))
    assert len(set(states)) == 3
    shutil.rmtree(repository / ".git" / "refs")
    assert isinstance(CHECK.cache_on(context), str)


def test_a_repository_inside_of_git_names_is_found(repository: Path) -> None:
    found = _git.find(repository, Toolbox())
    assert found
    assert found.tips == (git(repository, "rev-parse", "HEAD"),)
    assert found.prefix == b""


def test_the_known_bad_sample_is_seen(repository: Path) -> None:
    assert CHECK.canary
    assert CHECK.canary.git
    make.lay_out(repository, {name: d if isinstance(d, bytes) else d() for name, d in CHECK.canary.files.items()})
    commit(repository)
    for name in CHECK.canary.git:
        (repository / name).unlink()
    commit(repository)
    findings, _ = look(repository)
    assert CHECK.canary.rule in {f.rule.id for f in findings}
    assert tree(repository), "the engine runs the check only where there are files"
