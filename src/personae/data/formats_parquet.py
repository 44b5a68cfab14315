"""Faces and labels as Parquet tables (extra `parquet`).

Ours has the ids if known, a column `features`, a list of d float32 or float16 a face, `identity` if known, and
`file`, `left`, `top`, `width`, `height`, `quality` if known. From elsewhere: features may be a list of any
numbers under any of the usual names, or a column of numbers for each dimension, as in `.csv`; identities may be
names. Ids are named as there; those of text stay on disk from a million faces on.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from personae.data.faceset import BLOCK, FaceSet, filled
from personae.data.ids import Ids, Labelled, ids_told, in_blocks
from personae.data.labels import NOBODY, as_labels, spread, with_gaps
from personae.data.names import (
    FEATURE_NAMES,
    FOUND_NAMES,
    SOURCE_COLUMNS,
    SPAN_COLUMNS,
    TRUTH_COLUMNS,
    VALUES_OF_A_FACE,
    Choice,
    id_name,
    is_feature,
    label_name,
    named_sources,
    only_one,
    plain,
    source_columns,
)
from personae.data.pages import passing
from personae.errors import InputError, MissingExtraError, listed

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

MANY = 1_000_000  # ids of text that are held on disk


def arrow() -> Any:
    """The package pyarrow with its Parquet half, or MissingExtraError with the command that installs it."""
    try:
        pyarrow = import_module("pyarrow")
        for part in ("compute", "parquet"):
            import_module(f"pyarrow.{part}")
    except ImportError as error:
        raise MissingExtraError("a .parquet file needs pyarrow: pip install 'personae[parquet]'") from error
    return pyarrow


def read_parquet(path: Path, gaps: bool = False) -> FaceSet:
    """The faces of a table, block by block; from 1 GB on the features go to a temporary map.

    gaps: whether identities may be missing
    """
    with opened(path) as table:
        names = table.schema_arrow.names
        chosen = feature_columns(table.schema_arrow)
        blocks = feature_blocks(table, chosen)
        first = next(blocks, None)
        if first is None:
            raise InputError("has columns but no face; give at least one")
        shape = (table.metadata.num_rows, first.shape[1])
        features = filled(shape, first.dtype, prepended(first, blocks), path.parent)
        truth = only_one(names, TRUTH_COLUMNS)
        plains = [plain(name) for name in names]
        sources = None
        if all(name in plains for name in SOURCE_COLUMNS):
            files, *places = (column(table, names[plains.index(name)]) for name in SOURCE_COLUMNS)
            box = np.column_stack(places[:4])
            timed = all(name in plains for name in SPAN_COLUMNS)
            times = [column(table, names[plains.index(name)]) for name in SPAN_COLUMNS] if timed else []
            span = np.column_stack(times) if timed else None
            sources = named_sources([str(name) for name in files.tolist()], box, places[4], span)
        known = None if truth is None else as_labels(column(table, truth, gaps=gaps))
        return FaceSet.of(features, known, sources, ids_of(table, path.parent)[0], gaps=gaps)


def write_parquet(faces: FaceSet, path: Path) -> None:
    """The table described above, a row group a block."""
    pa = arrow()
    number = pa.float16() if faces.features.dtype == np.float16 else pa.float32()
    fields: list[tuple[str, Any]] = []
    if faces.ids is not None:
        fields.append((faces.ids.name, cell_type(pa, faces.ids.values)))
    fields.append(("features", pa.list_(number, faces.dimension)))
    if faces.truth is not None:
        fields.append(("identity", pa.int32()))
    if faces.sources is not None:
        fields.append(("file", text_type(pa, faces.sources.files)))
        fields += [(name, pa.float32()) for name in SOURCE_COLUMNS[1:]]
    span = None if faces.sources is None else faces.sources.span
    if span is not None:
        fields += [(name, pa.float64()) for name in SPAN_COLUMNS]
    schema = pa.schema(fields)
    with pa.parquet.ParquetWriter(path, schema, use_dictionary=["file"]) as writer:
        for start in range(0, len(faces), BLOCK):
            rows = slice(start, start + BLOCK)
            flat = pa.array(np.ascontiguousarray(faces.features[rows]).reshape(-1), number)
            arrays = [] if faces.ids is None else [arrow_cells(pa, faces.ids.values[rows], schema[0].type)]
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, faces.dimension))
            if faces.truth is not None:
                arrays.append(pa.array(faces.truth[rows], pa.int32()))
            if faces.sources is not None:
                files, places = source_columns(faces, rows)
                arrays.append(texts(pa, files, schema.field("file").type))
                arrays += [pa.array(np.ascontiguousarray(place)) for place in places.T]
            if span is not None:
                arrays += [pa.array(np.ascontiguousarray(time)) for time in span[rows].T]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def read_parquet_labels(path: Path, choice: Choice) -> Labelled:
    """The column of labels, or the only column, in the order of the column face if there is one."""
    with opened(path) as table:
        names = table.schema_arrow.names
        name = label_name(names, (*TRUTH_COLUMNS, *FOUND_NAMES), choice.first)
        if name is None and len(names) > 1:
            known = ", ".join((*TRUTH_COLUMNS, *FOUND_NAMES))
            raise InputError(f"found no column of labels among {listed(names)}; name it one of {known}")
        labels = as_labels(column(table, name or names[0], gaps=choice.gaps))
        told = ids_of(table, path.parent) if choice.ids and name is not None else ()
        numbered = [other for other in names if plain(other) == "face" and other != name]
        face = column(table, numbered[0]) if numbered and len(names) > 1 else None
        read = Labelled(labels, *told)._replace(column=name, embeddings=_holds_embeddings(table.schema_arrow))
        return read.ordered(face if face is not None and face.dtype.kind in "iu" else None)


def _holds_embeddings(schema: "pa.Schema") -> bool:
    """Whether there are features beside labels: a column of lists, or enough columns of numbers."""
    try:
        columns = feature_columns(schema)
    except InputError:
        return False
    return len(columns) >= VALUES_OF_A_FACE or is_list(arrow(), schema.field(columns[0]).type)


def write_parquet_labels(labelled: Labelled, path: Path) -> None:
    """Columns `face`, or the ids in its place, and `cluster`; a row a face."""
    pa = arrow()
    labels, ids = labelled.labels, labelled.ids
    faces, name = (np.arange(len(labels)), "face") if ids is None else (ids.values, ids.name)
    kinds = cell_type(pa, faces), cell_type(pa, labels)
    schema = pa.schema([(name, kinds[0]), ("cluster", kinds[1])])
    with pa.parquet.ParquetWriter(path, schema) as writer:
        for here in passing(len(labels), BLOCK, faces):
            columns = [arrow_cells(pa, faces[here], kinds[0]), arrow_cells(pa, labels[here], kinds[1])]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def ids_of(table: "ParquetFile", folder: Path) -> tuple[Ids | None, str | None]:
    """What the faces are called, if the table tells; as `ids_told`."""
    name = id_name(table.schema_arrow.names)
    if name is None:
        return None, None
    return ids_told(lambda: whole_column(table, name, folder), name, table.metadata.num_rows)


def whole_column(table: "ParquetFile", name: str, folder: Path) -> NDArray[Any]:
    """One column without gaps; text in a temporary map from a million rows on."""
    kinds = [block.dtype for block in cell_blocks(table, name)]
    widest = max(kinds, key=lambda kind: kind.itemsize)
    rows = table.metadata.num_rows
    mapped = widest.kind == "U" and rows >= MANY
    return filled((rows,), widest, cell_blocks(table, name), folder, mapped=mapped)


def opened(path: Path) -> "ParquetFile":
    """The file, its columns not yet read; InputError if it is no Parquet file or is cut off."""
    pa = arrow()
    try:
        return pa.parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError("is no .parquet file, or is cut off; write it again") from error


def feature_columns(schema: "pa.Schema") -> list[str]:
    """The one column of lists, or every column of numbers that isn't something else."""
    pa = arrow()
    kinds = dict(zip(schema.names, schema.types, strict=True))
    if len(kinds) < len(schema.names):
        raise InputError(f"two columns have one name ({listed(schema.names)}); rename one")
    lists = [name for name in kinds if is_list(pa, kinds[name])]
    chosen = lists[0] if len(lists) == 1 else only_one(lists, FEATURE_NAMES)
    if chosen is not None:
        return [chosen]
    numbers = [
        name
        for name, kind in kinds.items()
        if is_feature(name) and (pa.types.is_integer(kind) or pa.types.is_floating(kind))
    ]
    if not numbers:
        raise InputError(
            f"holds no embeddings; found no features among its columns ({listed(schema.names)}); give a list "
            f"of numbers named features, or a column of numbers for each dimension"
        )
    return numbers


def feature_blocks(table: "ParquetFile", columns: list[str]) -> Iterator[NDArray[Any]]:
    """(rows, d) float32 or float16, in order; InputError names the row of a gap or of another length."""
    pa = arrow()
    start = width = 0
    for batch in table.iter_batches(BLOCK, columns=columns):
        if not len(batch):
            continue
        arrays = [batch.column(name) for name in columns]
        for name, array in zip(columns, arrays, strict=True):
            refuse_gaps(array, name, start)
        if is_list(pa, arrays[0].type):
            values = arrays[0].flatten()
            lengths = pa.compute.list_value_length(arrays[0]).to_numpy()
            width = width or int(lengths[0])
            other = np.flatnonzero(lengths != width)
            if len(other):
                raise InputError(
                    f"row {start + other[0]} of {columns[0]} has {lengths[other[0]]} numbers where the first "
                    f"has {width}; give every face as many"
                )
            if values.null_count or not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
                raise InputError(
                    f"column {columns[0]} holds {values.type} and {values.null_count} gaps, not numbers"
                )
            block = values.to_numpy(zero_copy_only=False).reshape(len(lengths), width)
        else:
            block = np.column_stack([array.to_numpy(zero_copy_only=False) for array in arrays])
        start += len(batch)
        with np.errstate(over="ignore"):
            yield block if block.dtype == np.float16 else block.astype(np.float32)


def prepended(first: NDArray[Any], rest: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """The first block and the rest."""
    yield first
    yield from rest


def column(table: "ParquetFile", name: str, *, gaps: bool = False) -> NDArray[Any]:
    """One column, numbers or text; InputError names the first gap.

    gaps: whether those are labels of faces that may be without one; they get -1
    """
    pa = arrow()
    array = table.read(columns=[name]).column(name).combine_chunks()
    if not gaps:
        return cells(array, name)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.null_count == len(array):
        return np.full(len(array), NOBODY)
    return spread(with_gaps(cells(array.drop_null(), name)), array.is_valid().to_numpy(zero_copy_only=False))


def cell_blocks(table: "ParquetFile", name: str) -> Iterator[NDArray[Any]]:
    """One column block by block, as `column`."""
    start = 0
    for batch in table.iter_batches(BLOCK, columns=[name]):
        yield cells(batch.column(name), name, start)
        start += len(batch)


def cells(array: "pa.Array", name: str, start: int = 0) -> NDArray[Any]:
    """The numbers or the text of rows from `start` on; InputError names the first gap."""
    pa = arrow()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    refuse_gaps(array, name, start)
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_boolean(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return np.array(array.to_pylist(), dtype=np.str_)
    if pa.types.is_binary(array.type):
        return np.array([cell.decode("utf-8", "surrogateescape") for cell in array.to_pylist()], dtype=np.str_)
    raise InputError(f"column {name} holds {array.type}; it needs to be numbers or text")


def refuse_gaps(array: "pa.Array", name: str, start: int) -> None:
    """InputError naming the first row without a value."""
    if array.null_count:
        row = start + int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        raise InputError(f"row {row} of {name} is empty; fill or remove it")


def is_list(pa: Any, kind: "pa.DataType") -> bool:
    """Whether a column holds a list a row."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def cell_type(pa: Any, values: NDArray[Any]) -> "pa.DataType":
    """Integers or text."""
    if values.dtype.kind == "i":
        return pa.int64()
    kinds = {text_type(pa, block) for block in in_blocks(values)}
    return pa.binary() if pa.binary() in kinds else pa.string()


def arrow_cells(pa: Any, values: NDArray[Any], kind: "pa.DataType") -> "pa.Array":
    """A column of the type that `cell_type` chose."""
    return pa.array(values) if kind == pa.int64() else texts(pa, values.tolist(), kind)


def text_type(pa: Any, cells: list[str] | tuple[str, ...]) -> "pa.DataType":
    """Text; bytes where the disk gave names that are not Unicode."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return pa.binary()
    return pa.string()


def texts(pa: Any, cells: list[str], kind: "pa.DataType") -> "pa.Array":
    """A column of text of the type that `text_type` chose."""
    if kind == pa.binary():
        return pa.array([cell.encode("utf-8", "surrogateescape") for cell in cells], kind)
    return pa.array(cells, kind)
