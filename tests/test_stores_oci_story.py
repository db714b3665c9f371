"""A run stores its model in a registry that wants a password; another machine verifies it, until it is changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from registry_world import docker_registry
from shipworthy.errors import ExitCode
from story_world import own_folders, runs, shipworthy, tiny_project

SECRET = "hunter2-secret"
HASH = "$2b$04$MwSH5o5z72pv6s9x5ZjpouUVL6B.j2rmorZ8ppUigrYy/iep2/VAa"  # bcrypt of SECRET


def test_a_model_is_stored_in_a_registry_and_verified_from_there(tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(f"ci:{HASH}\n")
    more = f"auth: {{htpasswd: {{realm: tests, path: {tmp_path / 'htpasswd'}}}}}"
    with docker_registry(tmp_path / "docker", more) as address:
        project = tiny_project(tmp_path)
        settings = project / "shipworthy.toml"
        login = f'[store.registries."{address}"]\ncredentials = "env:REGISTRY_LOGIN"\n'
        settings.write_text(
            settings.read_text().replace('to = ["local:store"]', f'to = ["oci://{address}/team/tiny"]\n{login}')
        )

        def run(*args: str, machine: str = "first", **env: str) -> tuple[int, str]:
            env = {"REGISTRY_LOGIN": f"ci:{SECRET}@{address}", **own_folders(tmp_path / machine), **env}
            done = shipworthy(*args, cwd=project, env=env)
            assert SECRET not in done.stdout + done.stderr
            return done.returncode, done.stdout + done.stderr

        code, told = run("run", "ml", REGISTRY_LOGIN="")  # it is told before hours of training
        assert (code, "REGISTRY_LOGIN is not set" in told) == (ExitCode.ENVIRONMENT, True), told
        code, told = run("run", "ml")
        assert code == 0, told
        assert SECRET not in "".join(
            path.read_text(errors="replace") for path in (project / ".shipworthy").rglob("*") if path.is_file()
        )
        code, told = run("verify", machine="second")
        assert code == 0, told

        newest = next(folder for folder in runs(project) if (folder / "evidence").is_dir())
        for name, said in (("release.sigstore.json", "sent other bytes"), ("train.sigstore.json", "sent other bytes")):
            raw = (newest / "evidence" / name).read_bytes()
            hexadecimal = hashlib.sha256(raw).hexdigest()
            blob = tmp_path / "docker/data/docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"
            assert blob.read_bytes() == raw
            blob.write_bytes(raw.replace(b'"', b"'", 1))  # the registry does not look at what it serves
            code, told = run("verify", machine=f"third-{name}")
            assert (code, said in told) == (ExitCode.EVIDENCE, True), told
            blob.write_bytes(raw)
        code, told = run("verify", machine="fourth", REGISTRY_LOGIN=f"ci:{SECRET}@elsewhere.example.org")
        assert (code, "for another host" in told) == (ExitCode.ENVIRONMENT, True), told
    code, told = run("verify", machine="fifth")
    assert (code, "cannot be reached" in told) == (ExitCode.ENVIRONMENT, True), told
    assert json.loads((newest / "run.json").read_text())["pipeline"] == "ml"
