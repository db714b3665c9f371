"""The planted attacks on the service: its code, its pipeline, its image, its registry and how it is deployed.

As those of `attacks.py`: each changes a fresh copy of the example project, in which a model was already trained and
stored, and none does harm where it would run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.example._planting import Attack, add, edit, fake_github_token

DEBUG_PORT = 5678
_USER = "USER 10001:10001\n"
_HOLE = """\
name: preview

on: pull_request_target

jobs:
  preview:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: |
          echo "building ${{ github.event.pull_request.title }}"
          make preview
        env:
          DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}
"""


def plant_committed_secret(folder: Path) -> None:
    """Add a file with a token; the demonstration commits it and then `remove_committed_secret`s it."""
    add(folder, **{"deploy.env": f"GITHUB_TOKEN={fake_github_token()}\n"})


def remove_committed_secret(folder: Path) -> None:
    """What people do when they notice: remove the file, in another commit."""
    (folder / "deploy.env").unlink()


def plant_vulnerable_packages(folder: Path) -> None:
    """A small front end with an old lodash, and an old PyYAML: CVE-2021-23337 and CVE-2020-14343."""
    package = {"name": "detector-ui", "version": "1.0.0", "private": True, "dependencies": {"lodash": "4.17.15"}}
    locked = {
        "version": "4.17.15",
        "resolved": "https://registry.npmjs.org/lodash/-/lodash-4.17.15.tgz",
        "integrity": "sha512-8xOcRHvCjnocdS5cpwXQXVzmmh5e5+saE2QGoeQmbKmRS6J3VQppPOIt0MnmE+4xlZoumy0GPG0D0MVIQbNA1A==",
        "license": "MIT",
    }
    lock = {
        "name": "detector-ui",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {
            "": {name: package[name] for name in ("name", "version", "dependencies")},
            "node_modules/lodash": locked,
        },
    }
    files = {"ui/package.json": package, "ui/package-lock.json": lock}
    texts = {name: json.dumps(content, indent=2) + "\n" for name, content in files.items()}
    add(folder, **texts, **{"ui/requirements.txt": "PyYAML==5.3.1\n"})


def plant_workflow_hole(folder: Path) -> None:
    """A workflow that runs the code of anybody's pull request with the repository's own rights."""
    add(folder, **{".github/workflows/preview.yml": _HOLE})


def plant_secret_in_layer(folder: Path) -> None:
    """Run as root, and leave a token in a layer, where a build that logged in has forgotten it; the Dockerfile does not
    show it."""
    token = fake_github_token()
    login = f"'machine github.com login bot password ' '{token[:2]}' '{token[2:9]}' '{token[9:]}'"
    edit(folder / "Dockerfile", (_USER, f'RUN ["python", "-c", "open(\'/root/.netrc\', \'w\').write({login})"]\n'))


def plant_model_swapped_in_image(folder: Path) -> None:
    """Turn the sign of a weight while the image is built: the context holds the signed model, the image another."""
    turn = "p = 'model/weights.safetensors'; b = bytearray(open(p, 'rb').read()); b[-1] ^= 128; open(p, 'wb').write(b)"
    edit(folder / "Dockerfile", (_USER, f'RUN ["python", "-c", "{turn}"]\n\n{_USER}'))


def plant_unsigned_push(folder: Path) -> None:
    """Push another image over the released one: its blobs, an unsigned reference, and the pointer to the latest."""
    names = sorted((folder / "store" / "refs").glob("*-service"))
    if not names:
        raise UsageError("no image is stored yet", where=folder.name, remedy="run the pipeline `dev` first")
    refs = names[-1]
    config = b'{"architecture": "amd64", "config": {"Cmd": ["/bin/false"]}, "os": "linux", "rootfs": {"diff_ids": []}}'
    digest = _blob(folder / "store", config)
    manifest = {"schemaVersion": 2, "config": {"digest": digest, "size": len(config)}, "layers": []}
    image = _blob(folder / "store", json.dumps(manifest).encode())
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": refs.name, "digest": image}]}
    raw = json.dumps(statement).encode()
    (refs / "99990101T000000Z-pushed.json").write_bytes(raw)
    pointer = {"digest": f"sha256:{hashlib.sha256(raw).hexdigest()}", "version": "99990101T000000Z-pushed"}
    latest = refs / "latest"
    latest.chmod(0o644)
    latest.write_bytes(json.dumps(pointer, sort_keys=True).encode() + b"\n")


def _blob(store: Path, data: bytes) -> str:
    name = hashlib.sha256(data).hexdigest()
    place = store / "blobs" / "sha256" / name[:2] / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return f"sha256:{name}"


def plant_leaking_errors(folder: Path) -> None:
    """Answer what goes wrong with the traceback, for convenience, and leave out the checks that keep it from
    happening."""
    edit(
        folder / "app.py",
        ("import threading\n", "import threading\nimport traceback\n"),
        (
            '            self._send(500, {"error": "internal error"}, close=True)\n',
            '            self._send(500, {"error": "internal error", "detail": traceback.format_exc()}, close=True)\n',
        ),
        ('        text = value.get("text") if isinstance(value, dict) else None\n', '        text = value["text"]\n'),
    )


def plant_injection(folder: Path) -> None:
    """Keep the texts that were seen in a database, by a statement that is put together from the text."""
    edit(
        folder / "app.py",
        ("import signal\n", "import signal\nimport sqlite3\n"),
        (
            "        score = self.server.model.score(text)\n",
            "        score = self.server.model.score(text)\n"
            '        seen = sqlite3.connect(":memory:")\n'
            '        seen.execute("CREATE TABLE seen (text TEXT)")\n'
            "        try:\n"
            '            seen.execute("".join(["INSERT INTO seen VALUES (\'", text, "\')"]))\n'
            "        except sqlite3.Error as error:\n"
            '            raise Refused(400, f"sqlite3.OperationalError: {error}") from None\n',
        ),
    )


def plant_debug_port(folder: Path) -> None:
    """Leave a debugger's port open, as `debugpy.listen` does, without anything behind it."""
    edit(
        folder / "app.py",
        ("import signal\n", "import signal\nimport socket\n"),
        (
            "    with Server(address, model, digest) as server:\n",
            f"    debugger = socket.create_server((address[0], {DEBUG_PORT}))\n"
            "    threading.Thread(target=debugger.accept, daemon=True).start()\n"
            "    with Server(address, model, digest) as server:\n",
        ),
    )


SERVICE_ATTACKS = (
    Attack(
        "committed-secret",
        "A token in the history of git",
        pipeline="dev",
        stage="before-build",
        rule="secret-token",
        exit_code=1,
        plant=plant_committed_secret,
        after_commit=remove_committed_secret,
        story="deploy.env was committed and removed in the next commit. Every clone still has the token.",
    ),
    Attack(
        "vulnerable-packages",
        "An old lodash and an old PyYAML",
        pipeline="dev",
        stage="before-build",
        rule="vulnerable-dependency",
        exit_code=1,
        plant=plant_vulnerable_packages,
        story="A front end locks lodash 4.17.15 (CVE-2021-23337), its tools pin PyYAML 5.3.1 (CVE-2020-14343).",
    ),
    Attack(
        "workflow-hole",
        "A workflow that runs strangers' code with the repository's rights",
        pipeline="dev",
        stage="before-build",
        rule="actions-untrusted-checkout",
        exit_code=1,
        plant=plant_workflow_hole,
        story="pull_request_target checks out the pull request's own code and hands it a deployment token.",
    ),
    Attack(
        "secret-in-layer",
        "A root container with a token in a layer",
        pipeline="dev",
        stage="before-release",
        rule="secret-token",
        exit_code=1,
        plant=plant_secret_in_layer,
        story="An instruction that logged in left its token in /root/.netrc, and the service runs as root.",
    ),
    Attack(
        "model-swapped-in-image",
        "Another model in the image than the one that was signed",
        pipeline="dev",
        stage="before-release",
        rule="image-model-changed",
        exit_code=1,
        plant=plant_model_swapped_in_image,
        story="An instruction of the Dockerfile changes a weight after the verified model was copied.",
    ),
    Attack(
        "leaking-errors",
        "A service that answers with stack traces",
        pipeline="dev",
        stage="before-release",
        rule="gate-rule",
        exit_code=1,
        plant=plant_leaking_errors,
        story="Errors are answered with the traceback, and a body that is no object makes one.",
    ),
    Attack(
        "injection",
        "A service that puts requests into SQL",
        pipeline="dev",
        stage="before-release",
        rule="http-sql-injection",
        exit_code=1,
        plant=plant_injection,
        story="The text of a request is put into a statement of SQL, in a way that the linters do not see.",
    ),
    Attack(
        "debug-port",
        "A debugger's port left open",
        pipeline="dev",
        stage="after-deploy",
        rule="open-debug-port",
        exit_code=1,
        plant=plant_debug_port,
        story="The service opens port 5678 besides its own, as a remote debugger does.",
    ),
    Attack(
        "unsigned-push",
        "An unsigned image pushed over the signed one",
        pipeline="dev",
        stage="verify",
        rule=None,
        exit_code=4,
        plant=plant_unsigned_push,
        when="after-run",
        story="Whoever may write to the registry pushes another image and points the latest release at it.",
    ),
)
