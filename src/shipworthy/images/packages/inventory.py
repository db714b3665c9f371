"""All packages of an image, from the files of its final tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from shipworthy.images.errors import ImageError
from shipworthy.images.layers import Node, Tree, merged
from shipworthy.images.layout import Image
from shipworthy.images.packages import distributions, languages, rpm
from shipworthy.images.packages.package import Distribution, Package
from shipworthy.paths import display_name

_STATUS = "var/lib/dpkg/status"
_STATUS_D = "var/lib/dpkg/status.d"
_LISTS = "var/lib/dpkg/info"
_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_RPM = tuple(
    f"{folder}/{name}"
    for folder in ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
    for name in ("rpmdb.sqlite", "Packages.db", "Packages")
)
_RELEASES = ("etc/os-release", "usr/lib/os-release")
_NAMED = frozenset((_STATUS, *_APK, *_RPM, *_RELEASES))
_ELF = b"\x7fELF"
_PACKAGED = frozenset(("site-packages", "dist-packages", "node_modules"))
_METADATA = 4 << 20  # bytes: more is no description of a package
_DATABASE = 256 << 20


@dataclass(frozen=True)
class Inventory:
    """What was found. `unread` names files that should have told of packages and could not be read, with the reason;
    `managers` are the package managers whose database is there; `owned` maps files to the package of the distribution
    that installed them, as far as dpkg and apk say so."""

    packages: tuple[Package, ...]
    distribution: Distribution | None = None
    unread: tuple[tuple[str, str], ...] = ()
    managers: frozenset[str] = frozenset()
    owned: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def owner_of(self, path: str) -> str:
        """The package of the distribution that installed a file; empty when none is known to. Where `/lib` is a link to
        `/usr/lib`, packages may still call it `/lib`."""
        for name in (path, path.removeprefix("usr/"), f"usr/{path}"):
            if name in self.owned:
                return self.owned[name]
        return ""

    def strangers(self, tree: Tree) -> list[str]:
        """Programs and libraries in machine code that belong to no package of the distribution, and do not lie in a
        folder of packages of Python or Node.js: what they are made of, nothing here says."""
        return [
            path
            for path, node in tree.walk()
            if node.head == _ELF and not self.owner_of(path) and _PACKAGED.isdisjoint(path.split("/"))
        ]


def is_wanted(path: str, size: int) -> bool:
    """Whether a file of this name may tell of packages, and is not too large to. For `merged`."""
    if path in _NAMED:
        return size <= _DATABASE
    folder, _, name = path.rpartition("/")
    if folder == _STATUS_D or (folder == _LISTS and name.endswith(".list")):
        return size <= 4 * _METADATA
    return size <= _METADATA and _language(path, folder, name) != ""


def _language(path: str, folder: str, name: str) -> str:
    if name == "METADATA" and folder.endswith(".dist-info"):
        return "pypi"
    if (name == "PKG-INFO" and folder.endswith((".egg-info", "/EGG-INFO"))) or name.endswith(".egg-info"):
        return "pypi"
    return "npm" if name == "package.json" and languages.npm_place(path) else ""


def read(image: Image) -> tuple[Tree, Inventory]:
    """The final tree and its packages, in one walk over the layers. Raises ImageError."""
    tree = merged(image, is_wanted)
    return tree, inventory(image, tree)


def inventory(image: Image, tree: Tree) -> Inventory:
    """The packages of a tree that was made with `merged(image, is_wanted)`."""
    return _Reading(image, tree).result()


class _Reading:
    def __init__(self, image: Image, tree: Tree) -> None:
        self.image, self.tree = image, tree
        self.unread: list[tuple[str, str]] = []
        self.managers: set[str] = set()
        self.owned: dict[str, str] = {}

    def result(self) -> Inventory:
        distribution = self._distribution()
        system = [*self._dpkg(), *self._apk(), *self._rpm()]
        namespace = distribution.id if distribution else ""
        label = "-".join(part for part in (namespace, distribution.version if distribution else "") if part)
        if "dpkg" in self.managers and not namespace:
            namespace = "debian"
        if "apk" in self.managers and not namespace:
            namespace = "alpine"
        found = [replace(item, namespace=namespace, distribution=label) for item in system]
        found += self._languages()
        order = sorted(found, key=lambda p: (p.type, p.name, p.version, p.architecture, p.path))
        return Inventory(
            tuple(dict.fromkeys(order)), distribution, tuple(self.unread), frozenset(self.managers), self.owned
        )

    def _distribution(self) -> Distribution | None:
        for path in _RELEASES:
            text = self._text(path)
            if text:
                values = distributions.os_release(text)
                return Distribution(
                    values.get("ID", "").lower(),
                    values.get("VERSION_ID", ""),
                    values.get("PRETTY_NAME", ""),
                    tuple(values.get("ID_LIKE", "").lower().split()),
                )
        return None

    def _content(self, path: str) -> tuple[str, Node, bytes] | None:
        found = self.tree.resolve(path)
        if found is None or found[1].kind != "file":
            return None
        real, node = found
        if node.content is None:
            self.unread.append((display_name(path), f"it has {node.size:,} bytes, or lies where it is not looked for"))
            return None
        return real, node, node.content

    def _text(self, path: str) -> str:
        found = self._content(path)
        return found[2].decode("utf-8", "replace") if found else ""

    def _layer(self, node: Node) -> str:
        layer = self.image.layers[node.layer]
        return layer.digest or layer.diff_id

    def _owner(self, path: str) -> str:
        return Inventory((), owned=self.owned).owner_of(path)

    def _dpkg(self) -> Iterator[Package]:
        found = self._content(_STATUS)
        owners: dict[str, Node] = {}
        lists = self.tree.get(_LISTS)
        for name, node in sorted((lists.children or {}).items() if lists else ()):
            if name.endswith(".list") and node.content is not None:
                owner = name.removesuffix(".list").partition(":")[0]
                owners[owner] = node
                for line in node.content.decode("utf-8", "surrogateescape").splitlines():
                    self.owned[line.strip("/")] = owner
        if found is not None:
            self.managers.add("dpkg")
            for item in distributions.dpkg(found[2].decode("utf-8", "replace"), installed=True):
                # What lists a package's files is written when it is installed; the status always.
                yield replace(item, layer=self._layer(owners.get(item.name, found[1])), path=_STATUS)
        folder = self.tree.get(_STATUS_D)
        for name in sorted((folder.children or {}) if folder else ()):
            path = f"{_STATUS_D}/{name}"
            if name.endswith((".md5sums", ".preinst", ".postinst", ".prerm", ".postrm")):
                continue
            single = self._content(path)
            if single is not None:
                self.managers.add("dpkg")
                for item in distributions.dpkg(single[2].decode("utf-8", "replace"), installed=False):
                    yield replace(item, layer=self._layer(single[1]), path=display_name(path))

    def _apk(self) -> Iterator[Package]:
        seen: set[int] = set()
        for path in _APK:
            found = self._content(path)
            if found is None or id(found[1]) in seen:
                continue
            seen.add(id(found[1]))
            self.managers.add("apk")
            text = found[2].decode("utf-8", "replace")
            self.owned.update(distributions.apk_files(text))
            for item in distributions.apk(text):
                yield replace(item, layer=self._layer(found[1]), path=path)

    def _rpm(self) -> Iterator[Package]:
        seen: set[int] = set()
        for path in _RPM:
            found = self._content(path)
            if found is None or id(found[1]) in seen:
                continue
            seen.add(id(found[1]))
            self.managers.add("rpm")
            try:
                for item in rpm.packages(found[2]):
                    yield replace(item, layer=self._layer(found[1]), path=path)
            except ImageError as error:
                self.unread.append((path, error.message))

    def _languages(self) -> Iterator[Package]:
        for path, node in self.tree.walk():
            folder, _, name = path.rpartition("/")
            kind = _language(path, folder, name) if node.kind == "file" else ""
            if not kind:
                continue
            if node.content is None:
                if node.size:
                    self.unread.append((display_name(path), f"it has {node.size:,} bytes: no description of a package"))
                continue
            text = node.content.decode("utf-8", "replace")
            try:
                item = languages.python(text) if kind == "pypi" else languages.npm(text)
            except ValueError:
                self.unread.append((display_name(path), "it is no JSON"))
                continue
            if item is not None:
                yield replace(item, layer=self._layer(node), path=display_name(path), owner=self._owner(path))
            elif kind == "pypi":
                self.unread.append((display_name(path), "it names no package"))
