"""Images are built: by the built-in engine, and by buildah and podman where they are installed."""

import io
import json
import os
import re
import signal
import socket
import stat
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import small_images
from shipworthy.building import BuildFailed, Built, Recipe, build, choose
from shipworthy.building.layout import Entry, read_base
from shipworthy.building.tree import Tree
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError

ENGINES = ("builtin", "buildah", "podman")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base image with a shell."""
    small_images.needs_containers()
    return small_images.shell_base(tmp_path_factory.mktemp("base") / "layout")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A context with files of several kinds."""
    folder = tmp_path / "context"
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "app.py").write_text("print(1)\n")
    (folder / "src" / "a.txt").write_text("a")
    (folder / "src" / "deep" / "b.txt").write_text("b")
    (folder / "src" / "tool").write_text("#!/bin/sh\n")
    (folder / "src" / "tool").chmod(0o755)
    (folder / "src" / "link").symlink_to("deep/b.txt")
    (folder / ".env").write_text("PASSWORD=1")
    (folder / ".dockerignore").write_text(".env\nDockerfile\n")
    return folder


def make(
    context: Path,
    base: Path,
    text: str,
    engine: str = "builtin",
    *,
    name: str = "out",
    network: bool = False,
    arguments: Mapping[str, str] | None = None,
    secrets: Mapping[str, Path] | None = None,
    seconds: float = 300.0,
) -> Built:
    """Build a Dockerfile in the context."""
    if engine != "builtin":
        small_images.needs(engine)
    (context / "Dockerfile").write_text(text)
    recipe = Recipe(
        context,
        context.parent / name,
        bases={"base:1": base},
        network=network,
        arguments=arguments or {},
        secrets=secrets or {},
        epoch=1_700_000_000,
        seconds=seconds,
        work=context.parent,
    )
    return build(recipe, engine)


WHOLE = r"""
ARG UNUSED=1
FROM base:1 AS maker
RUN mkdir /made && echo made > /made/file && ln -s file /made/link && ln /made/file /made/hard
FROM base:1
ARG VERSION=0
ENV NAME="a b" LEVEL=${VERSION}
LABEL version=$VERSION
WORKDIR /srv/app
COPY app.py ./
COPY src sources/
COPY --chown=1000:1000 --chmod=0640 src/a.txt /data/
COPY --from=maker /made /made
RUN echo "$LEVEL" > level && chmod 700 level && rm /etc/group && mkdir -m 0700 -p private/x && chown 1000 private
RUN rm -r /made && touch /made
USER app
EXPOSE 8080 9090/udp
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1m30s --retries=2 CMD ["cat", "/srv"]
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo hello"]
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_one_dockerfile_gives_one_tree(context: Path, base: Path, tmp_path: Path, engine: str) -> None:
    built = make(context, base, WHOLE, engine, arguments={"VERSION": "7"})
    assert built.digest == small_images.digest_of(built.layout)
    assert built.bases == {"base:1": small_images.digest_of(base)}
    assert built.engine == engine
    root, config = small_images.unpacked(built.layout, tmp_path / "root")
    found = small_images.listing(root, without=("proc", "dev", "sys", "run"))
    if os.geteuid() == 0:
        assert found["data/a.txt"] == (oct(stat.S_IFREG | 0o640), 1000, 1000, b"a")
        assert found["srv/app/private"][1] == 1000
    assert found["srv/app/level"][::3] == (oct(stat.S_IFREG | 0o700), b"7\n")
    assert found["srv/app/sources/link"][3] == "deep/b.txt"
    assert found["srv/app/sources/tool"][0] == oct(stat.S_IFREG | 0o755)
    assert found["made"][0].startswith("0o100")  # a folder became a file
    assert "etc/group" not in found
    assert not [name for name in found if name.endswith((".env", "Dockerfile"))]
    settings = config["config"]
    assert settings["User"] == "app"
    assert settings["Entrypoint"] == ["/bin/sh", "-c"]
    assert settings["Cmd"] == ["echo hello"]
    assert set(settings["ExposedPorts"]) == {"8080/tcp", "9090/udp"}
    assert {"NAME=a b", "LEVEL=7"} <= set(settings["Env"])
    assert settings["Labels"]["version"] == "7"
    assert settings["WorkingDir"] == "/srv/app"
    assert settings["Healthcheck"] == {"Test": ["CMD", "cat", "/srv"], "Interval": 90 * 10**9, "Retries": 2}
    assert settings["StopSignal"] in ("SIGINT", "2")


def test_the_built_in_engine_makes_the_tree_that_buildah_makes(context: Path, base: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("owners are compared as root")
    trees = []
    for engine in ("builtin", "buildah"):
        built = make(context, base, WHOLE, engine, name=engine)
        root, _ = small_images.unpacked(built.layout, tmp_path / f"root-{engine}")
        trees.append(small_images.listing(root, without=("proc", "dev", "sys", "run")))
    for name in ("etc/hosts", "etc/hostname", "etc/resolv.conf"):  # buildah leaves what it mounts them on, empty
        trees[1].pop(name, None)
    assert trees[0] == trees[1]


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_the_same_context_gives_the_same_image(context: Path, base: Path, engine: str) -> None:
    first = make(context, base, WHOLE, engine, name="one")
    for place, _, files in os.walk(context):
        for name in files:
            if not (path := Path(place, name)).is_symlink():
                path.write_bytes(path.read_bytes())  # another time, the same content
    assert make(context, base, WHOLE, engine, name="two").digest == first.digest
    if engine != "builtin":
        return
    (context / "src" / "a.txt").write_text("other")
    assert make(context, base, WHOLE, engine, name="three").digest != first.digest


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_run_has_no_network(context: Path, base: Path, engine: str) -> None:
    built = make(context, base, "FROM base:1\nRUN cat /proc/net/dev /proc/net/route > /seen\n", engine)
    root, _ = small_images.unpacked(built.layout, context.parent / "root")
    lines = (root / "seen").read_text().splitlines()
    assert [line.split(":")[0].strip() for line in lines if ":" in line] == ["lo"]


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_run_has_the_network_where_it_is_allowed(context: Path, base: Path, engine: str) -> None:
    built = make(context, base, "FROM base:1\nRUN cat /proc/net/dev > /seen\n", engine, network=True)
    root, _ = small_images.unpacked(built.layout, context.parent / "root")
    names = [line.split(":")[0].strip() for line in (root / "seen").read_text().splitlines() if ":" in line]
    assert set(names) == {name for _, name in socket.if_nameindex()}


def test_what_dockerignore_leaves_out_is_not_mounted_either(context: Path, base: Path) -> None:
    text = "FROM base:1\nRUN --mount=type=bind,target=/mnt/all cd /mnt/all && ls -A . src > /seen\n"
    built = make(context, base, text)
    root, _ = small_images.unpacked(built.layout, context.parent / "root")
    seen = (root / "seen").read_text().split()
    assert {"app.py", "src", "a.txt", "tool"} <= set(seen)
    assert not {".env", "Dockerfile"} & set(seen)
    (context / ".dockerignore").write_text("*\n!src/a.txt\n")
    again = make(context, base, text, name="again")
    root, _ = small_images.unpacked(again.layout, context.parent / "root-again")
    assert {"a.txt"} <= set((root / "seen").read_text().split())
    assert not {".env", "app.py", "tool"} & set((root / "seen").read_text().split())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_command_that_fails_is_told_with_its_output(context: Path, base: Path, engine: str) -> None:
    with pytest.raises(BuildFailed) as failure:
        make(context, base, "FROM base:1\nRUN true\nRUN echo 'cannot find \x1bthe thing' && exit 3\n", engine)
    assert any("the thing" in line for line in failure.value.last)
    assert not any("\x1b" in line for line in failure.value.last)
    assert "the thing" in failure.value.log.read_text()
    if engine == "builtin":
        assert failure.value.where.endswith("Dockerfile:3")
        assert "exit status 3" in str(failure.value)
    assert not (context.parent / "out").exists() or not list((context.parent / "out").iterdir())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_program_that_the_base_does_not_have_is_named_with_what_to_do(context: Path, base: Path, engine: str) -> None:
    with pytest.raises(BuildFailed) as failure:
        make(context, base, "FROM base:1\nRUN npm ci\n", engine)
    assert re.search(r"npm.{0,5} not found", str(failure.value))
    assert "Take a base that has it" in failure.value.remedy


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_a_secret_is_seen_by_the_command_and_by_nobody_else(context: Path, base: Path, engine: str) -> None:
    secret = context.parent / "token"
    secret.write_text("hunter2-hunter2\n")
    text = "FROM base:1\nRUN --mount=type=secret,id=token read t < /run/secrets/token && echo ${#t} > /length\n"
    built = make(context, base, text, engine, secrets={"token": secret})
    root, _ = small_images.unpacked(built.layout, context.parent / "root")
    assert (root / "length").read_text() == "15\n"
    assert not (root / "run" / "secrets" / "token").exists() or not (root / "run/secrets/token").read_bytes()
    assert "hunter2" not in built.log.read_text()
    for layer in range(len(read_base(built.layout, small_images.ARCHITECTURE).layers)):
        assert not [name for name in small_images.members(built.layout, layer) if "token" in name]


def test_what_is_mounted_for_a_command_is_no_part_of_the_image(context: Path, base: Path) -> None:
    text = "FROM base:1\nRUN --mount=type=bind,source=src,target=/mnt/src cat /mnt/src/a.txt > /copy\n"
    built = make(context, base, text)
    assert set(small_images.members(built.layout)) == {"copy"}


def test_removed_files_are_whiteouts_and_hard_links_stay(context: Path, base: Path) -> None:
    built = make(context, base, "FROM base:1\nRUN rm /etc/group && echo x > /a && ln /a /b\n")
    found = small_images.members(built.layout)
    assert set(found) == {"a", "b", "etc/.wh.group"}
    assert found["b"].islnk()
    assert found["b"].linkname == "a"
    assert found["a"].mtime == 1_700_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM other:1\n", "not at hand"),
        ("FROM base:1\nADD https://example.org/x /x\n", "from an address"),
        ("FROM base:1\nRUN --security=insecure true\n", "--security"),
        ("FROM base:1\nONBUILD RUN true\n", "does not know"),
        ("FROM base:1\nCOPY nothing /x\n", "matches nothing"),
        ("FROM base:1\nCOPY .env /x\n", "matches nothing"),
        ("FROM base:1\nCOPY ../../../etc/passwd /x\n", "matches nothing"),
        ("FROM base:1\nUSER nobody-here\nRUN true\n", "no user"),
        ("FROM base:1\nHEALTHCHECK --interval=soon CMD true\n", "no duration"),
        ("FROM base:1\nCOPY --parents src /x\n", "--parents"),
        (f"FROM base:1@sha256:{'0' * 64}\n", "not at hand"),
    ],
)
def test_what_the_built_in_engine_cannot_do_is_an_error(context: Path, base: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        make(context, base, text)
    assert said in str(error.value)
    assert error.value.where.startswith(str(context / "Dockerfile"))


def test_another_image_under_a_pinned_name_is_refused(context: Path, base: Path) -> None:
    name = f"base@sha256:{'0' * 64}"
    (context / "Dockerfile").write_text(f"FROM {name}\n")
    for engine in ("builtin", "buildah"):
        if engine == "buildah" and choose_or_none("buildah") is None:
            continue
        with pytest.raises(UsageError, match="is wanted"):
            build(Recipe(context, context.parent / "out", bases={name: base}), engine)


def choose_or_none(engine: str) -> str | None:
    """The engine, if it can be used here."""
    try:
        return choose(engine)
    except EnvironmentFailure:
        return None


def test_a_base_whose_bytes_were_changed_is_refused(context: Path, tmp_path: Path) -> None:
    layout = small_images.image(tmp_path / "base", [[Entry("a", tarfile.REGTYPE, data=b"x" * 100)]], {})
    layer = read_base(layout, small_images.ARCHITECTURE).layers[0]
    path = layout / "blobs" / "sha256" / str(layer.descriptor["digest"])[7:]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(EvidenceError):
        make(context, layout, "FROM base:1\nCOPY app.py /\n")


def test_a_hostile_base_writes_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    layers = [
        [Entry("way", tarfile.SYMTYPE, target=str(outside)), Entry("up", tarfile.SYMTYPE, target="../../../..")],
        [
            Entry("way/file", tarfile.REGTYPE, data=b"x"),
            Entry(f"up{outside}/other", tarfile.REGTYPE, data=b"x"),
            Entry("device", tarfile.CHRTYPE),
        ],
    ]
    layout = small_images.image(tmp_path / "layout", layers, {})
    root, _ = small_images.unpacked(layout, tmp_path / "root")
    assert not list(outside.iterdir())
    assert (root / str(outside).lstrip("/") / "file").read_bytes() == b"x"
    assert not (root / "device").exists()
    escape = small_images.image(tmp_path / "escape", [[Entry("../../x", tarfile.REGTYPE, data=b"x")]], {})
    with pytest.raises(UsageError, match="outside"):
        small_images.unpacked(escape, tmp_path / "root2")
    loop = [[Entry("a", tarfile.SYMTYPE, target="b"), Entry("b", tarfile.SYMTYPE, target="a")], [Entry("a/c", b"0")]]
    with pytest.raises(UsageError, match="symbolic links"):
        small_images.unpacked(small_images.image(tmp_path / "loop", loop, {}), tmp_path / "root3")


def test_links_of_the_image_lead_no_copy_outside(context: Path, base: Path) -> None:
    target = context.parent / "host"
    target.mkdir()
    text = f"FROM base:1\nRUN ln -s {target} /srv && ln -s {target}/file /etc/file\n"
    built = make(context, base, f"{text}COPY app.py /srv/app.py\nCOPY app.py /etc/file\n")
    assert not list(target.iterdir())
    root, _ = small_images.unpacked(built.layout, context.parent / "root")
    inner = root / str(target).lstrip("/")
    assert {one.name for one in inner.iterdir()} == {"app.py", "file"}


def test_a_device_or_socket_in_the_context_is_refused(context: Path, base: Path) -> None:
    os.mkfifo(context / "src" / "pipe")
    with pytest.raises(UsageError, match="no file"):
        make(context, base, "FROM base:1\nCOPY src /src\n")


def test_a_build_that_takes_too_long_is_stopped(context: Path, base: Path) -> None:
    with pytest.raises(BuildFailed, match="time"):
        make(context, base, "FROM base:1\nRUN sleep 1000\n", seconds=2.0)


KILLED = """
import sys
from pathlib import Path
from shipworthy.building import Recipe, build
context, base, engine = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
build(Recipe(context, context.parent / "out", bases={"base:1": base}, work=context.parent / "work"), engine)
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_build_that_is_killed(context: Path, base: Path, engine: str, number: int) -> None:
    if engine != "builtin":
        small_images.needs(engine)
    marker = f"marker-{os.urandom(6).hex()}"
    (context / "Dockerfile").write_text(f"FROM base:1\nRUN echo {marker} && sleep 600.{os.getpid()}\n")
    work = context.parent / "work"
    work.mkdir()
    log = context.parent / "out.log"
    process = small_images.python(KILLED, str(context), str(base), engine)
    try:
        assert small_images.wait_until(lambda: log.exists() and log.read_text().splitlines()[-1:] == [marker], 60), (
            log.read_text()
        )
        assert list(work.iterdir())
        process.send_signal(number)
        process.wait(30)
    finally:
        process.kill()
        process.communicate()
    assert small_images.wait_until(lambda: not list(work.iterdir()))
    assert small_images.wait_until(lambda: not small_images.processes_with(f"600.{os.getpid()}"))
    assert str(work) not in Path("/proc/mounts").read_text()


FAKE = """#!{python}
import json, sys, pathlib, shutil, tarfile
argv = sys.argv[1:]
pathlib.Path({record!r}).open("a").write(json.dumps(argv) + "\\n")
if argv[:1] == ["--version"]:
    print("Docker version 27.3.1, build ce12230")
elif argv[:2] == ["buildx", "build"]:
    output = argv[argv.index("--output") + 1]
    target = dict(part.partition("=")[::2] for part in output.split(","))["dest"]
    with tarfile.open(target, "w") as archive:
        archive.add({layout!r}, arcname="")
"""


def test_the_command_line_of_docker(context: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No daemon runs here: the program is one that records what it is asked, and answers with a layout in an archive,
    # as BuildKit's OCI exporter writes it.
    record, programs = tmp_path / "asked", tmp_path / "programs"
    programs.mkdir()
    (programs / "docker").write_text(FAKE.format(python=sys.executable, record=str(record), layout=str(base)))
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    built = make(context, base, "FROM base:1\n", "docker", arguments={"B": "2", "A": "1"})
    assert built.digest == small_images.digest_of(base) == small_images.digest_of(built.layout)
    assert built.version == "27.3.1"
    asked = [json.loads(line) for line in record.read_text().splitlines()]
    line = next(one for one in asked if one[:2] == ["buildx", "build"])
    assert line[line.index("--network") + 1] == "none"
    values = [line[place + 1] for place, one in enumerate(line) if one == "--build-arg"]
    assert values == ["SOURCE_DATE_EPOCH=1700000000", "A=1", "B=2"]
    named = line[line.index("--build-context") + 1]
    assert named == f"base:1=oci-layout://{base}@{small_images.digest_of(base)}"
    assert {"--provenance=false", "--sbom=false", "--no-cache"} <= set(line)
    assert line[-3:] == ["--file", str(context / "Dockerfile"), str(context)]


def test_an_engine_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailure, match="buildah: it is not installed"):
        choose("buildah")
    assert choose() == "builtin"
    with pytest.raises(UsageError):
        choose("kaniko")


def test_unpacking_is_the_inverse_of_packing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tree = Tree(root)
    (root / "a").mkdir()
    (root / "a" / "file").write_bytes(io.BytesIO(os.urandom(100_000)).getvalue())
    (root / "a" / "link").symlink_to("/a/file")
    entries: Iterator[Entry] = iter(tree.changes({}))
    layout = small_images.image(tmp_path / "layout", [list(entries)], {})
    again, _ = small_images.unpacked(layout, tmp_path / "again")
    assert small_images.listing(again) == small_images.listing(root)
