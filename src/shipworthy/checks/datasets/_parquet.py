"""Rows of a Parquet file, through pyarrow (an extra). Only imported when a Parquet file is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipworthy.checks.datasets._tables import Row, Table

NEEDS = "needs pyarrow: pip install pyarrow"
_BATCH = 256


def rows(table: Table) -> Iterator[Row]:
    """The rows of the file, row group by row group; a row group that claims more bytes than the limit is not read."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        table.unread.append(NEEDS)
        return
    if table.zipped:
        table.unread.append("a compressed Parquet file is not read: unpack it first")
        return
    errors = (pyarrow.ArrowException, ValueError, TypeError, KeyError, IndexError, OverflowError)
    seen: dict[str, None] = {}
    number = 0
    with table.artifact.open() as stream:
        try:
            file = pyarrow.parquet.ParquetFile(stream, thrift_string_size_limit=10_000_000)
            table.encoding = "parquet"
            groups, used = [], 0
            for index in range(file.metadata.num_row_groups):
                used += file.metadata.row_group(index).total_byte_size
                if used > table.max_bytes:
                    table.unread.append("its row groups are larger than the limit (option max-megabytes)")
                    break
                groups.append(index)
            for batch in file.iter_batches(batch_size=_BATCH, row_groups=groups, use_threads=False):
                for value in batch.to_pylist():
                    number += 1
                    yield table._flat(number, value, seen)
        except errors as error:
            table.problem("parquet", max(1, number))
            table.unread.append(f"it is not a Parquet file that can be read: {type(error).__name__}")
