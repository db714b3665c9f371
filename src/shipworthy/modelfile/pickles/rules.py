"""The rules of vetted calls by name: each says what is wrong with a call, or nothing.

A rule sees the symbolic arguments. What it can't see (arguments that came out of a large or computed structure) it
refuses, except where any plain value would do.
"""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.modelfile.pickles import dills, getters, making, plain
from shipworthy.modelfile.pickles.called import Call

Rule = Callable[[Call], str | None]
data = plain.data

# These rules say themselves which functions may be among the arguments; all others take none.
TAKES_FUNCTIONS = frozenset(
    (
        "factory",
        "partial",
        "rebuild_type",
        "reconstructor",
        "newobj",
        "attribute",
        "bit_generator",
        "holder",
        "dill_array",
    )
)
RULES: dict[str, Rule] = {
    "data": plain.data,
    "convert": plain.convert,
    "described": plain.described,
    "stored": plain.stored,
    "from_buffer": plain.from_buffer,
    "literals": plain.literals,
    "decimal": plain.decimal,
    "fraction": plain.fraction,
    "texts": plain.texts,
    "span": plain.span,
    "iterator": plain.iterator,
    "endless": plain.endless,
    "zone": plain.zone,
    "scalar": plain.scalar,
    "items": getters.items,
    "attributes": getters.attributes,
    "method": getters.method,
    "reference": plain.reference,
    "empty": plain.empty,
    "frame": plain.empty,
    "one": plain.one,
    "sized": plain.sized,
    "allocate": plain.allocate,
    "tensor": plain.tensor,
    "sparse_tensor": plain.sparse_tensor,
    "shape": plain.shape,
    "factory": making.factory,
    "holder": making.holder,
    "partial": making.partial,
    "reconstructor": making.reconstructor,
    "newobj": making.newobj,
    "encode": plain.encode,
    "dtype": plain.dtype,
    "subtype": making.subtype,
    "index": making.index,
    "bit_generator": making.bit_generator,
    "rebuild": making.rebuild,
    "rebuild_type": making.rebuild_type,
    "inner_file": making.inner_file,
    "resolve": making.resolve,
    "attribute": making.attribute,
    "sidecar": making.sidecar,
    "dill_array": dills.array,
    "dill_type": dills.builtin,
}
