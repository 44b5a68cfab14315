"""NumPy's own files: `.npy`, one array, and `.npz`, several in a zip archive. Never a pickle."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from personae.data import faceset
from personae.data.faceset import BLOCK, FaceSet, filled
from personae.data.formats_bin import read_bin_labels
from personae.data.ids import Ids, Labelled, ids_told
from personae.data.labels import as_labels, with_gaps
from personae.data.names import (
    FEATURE_NAMES,
    FOUND_NAMES,
    SOURCE_KEYS,
    TRUTH_COLUMNS,
    TRUTH_KEYS,
    Choice,
    checked_sources,
    id_name,
    label_name,
    only_one,
    plain,
)
from personae.errors import InputError, listed

ALIGNED = 64  # bytes: arrays begin at a multiple, so that they can be mapped and multiplied as they lie
PADDING = 0xD935  # the extra field that zipalign pads with
LOCAL_HEADER = 30  # bytes of a zip member's header before its name
ZIP64_EXTRA = 20


@dataclass(frozen=True)
class Layout:
    """What the head of a `.npy` says of the bytes that follow."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def order(self) -> Literal["C", "F"]:
        return "F" if self.fortran else "C"

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a `.npy`, mapped from 1 GB on.

    InputError: another file, cut off, Python objects.
    """
    with path.open("rb") as file:
        layout = read_layout(file, path.stat().st_size)
        if layout.nbytes >= faceset.MAPPED_FROM:
            return mapped(path, layout, file.tell())
        flat = np.fromfile(file, layout.dtype, prod(layout.shape))
    return flat.reshape(layout.shape, order=layout.order)


def read_npy_labels(path: Path, choice: Choice) -> Labelled:
    """The array of a `.npy`, or the labels beside it if it holds features."""
    array = read_npy(path)
    if array.ndim == 2 and path.with_suffix(".meta").exists():
        return read_bin_labels(path, choice)
    return Labelled(with_gaps(array) if choice.gaps else as_labels(array))


def read_npz(path: Path, gaps: bool = False) -> FaceSet:
    """The faces of a `.npz`: its features, and if it has them its truth, sources and ids.

    gaps: whether identities may be missing
    """
    with zipfile.ZipFile(path) as archive:
        members = members_of(archive)
        features = only_one(members, FEATURE_NAMES)
        if features is None:
            raise InputError(
                f"found no features among its arrays ({listed(list(members))}); "
                f"name them features, or one of {', '.join(FEATURE_NAMES[1:])}"
            )
        truth = only_one(members, TRUTH_KEYS)
        sources = None
        if all(key in members for key in SOURCE_KEYS):
            files, file, box, quality = (read_member(path, archive, members[key]) for key in SOURCE_KEYS)
            if files.dtype.kind != "U" or files.ndim != 1:
                raise InputError(
                    f"files is of type {files.dtype} and shape {files.shape}; it needs to be names"
                )
            span = read_member(path, archive, members["span"]) if "span" in members else None
            sources = checked_sources(files.tolist(), file, box, quality, span)
        rows = read_member(path, archive, members[features])
        return FaceSet.of(
            rows,
            None if truth is None else read_member(path, archive, members[truth]),
            sources,
            read_ids(path, archive, members, len(rows))[0],
            gaps=gaps,
        )


def read_ids(
    path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], faces: int
) -> tuple[Ids | None, str | None]:
    """What the faces of a `.npz` are called, if it tells; as `ids_told`."""
    name = id_name(members)
    if name is None:
        return None, None
    return ids_told(lambda: read_member(path, archive, members[name]), name, faces)


def read_npz_labels(path: Path, choice: Choice) -> Labelled:
    """The one array of labels of a `.npz`, or its only array."""
    with zipfile.ZipFile(path) as archive:
        members = members_of(archive)
        name = label_name(list(members), (*TRUTH_KEYS, *TRUTH_COLUMNS, *FOUND_NAMES), choice.first)
        if name is None and len(members) == 1:
            name = next(iter(members))
        if name is None:
            raise InputError(
                f"found no labels among its arrays ({listed(list(members))}); "
                f"name them labels, or one of {', '.join((*TRUTH_KEYS, *FOUND_NAMES))}"
            )
        labels = read_member(path, archive, members[name])
        told = read_ids(path, archive, members, len(labels)) if choice.ids else ()
        embeddings = any(plain(other) in FEATURE_NAMES for other in members if other != name)
    read = Labelled(with_gaps(labels) if choice.gaps else as_labels(labels), *told)
    return read._replace(column=name, embeddings=embeddings)


def write_npz_labels(labelled: Labelled, path: Path) -> None:
    """An array `labels`, and the ids under their name."""
    labels, ids = labelled.labels, labelled.ids
    write_arrays({"labels": labels} | ({} if ids is None else {ids.name: ids.values}), path)


def write_npy(array: NDArray[Any], path: Path) -> None:
    """One array as `.npy`; a mapped one goes from disk to disk."""
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def write_npz(faces: FaceSet, path: Path) -> None:
    """Features, truth, sources and ids, nothing compressed, the features where they can be mapped."""
    arrays: dict[str, NDArray[Any]] = {"features": faces.features}
    if faces.truth is not None:
        arrays["truth"] = faces.truth
    if faces.sources is not None:
        sources = faces.sources
        arrays |= {"files": np.array(sources.files, dtype=np.str_), "file": sources.file}
        arrays |= {"box": sources.box, "quality": sources.quality}
        arrays |= {} if sources.span is None else {"span": sources.span}
    if faces.ids is not None:
        arrays[faces.ids.name] = faces.ids.values
    write_arrays(arrays, path)


def write_arrays(arrays: dict[str, NDArray[Any]], path: Path) -> None:
    """A `.npz` that np.load reads, in blocks, each array beginning at a multiple of 64 bytes."""
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            head = LOCAL_HEADER + len(member.filename) + ZIP64_EXTRA + 4
            pad = -(file.tell() + head) % ALIGNED
            member.extra = struct.pack("<HH", PADDING, pad) + bytes(pad)
            with archive.open(member, "w", force_zip64=True) as stream:
                npy.write_array(stream, array, allow_pickle=False)


def members_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The arrays of an archive by name."""
    members = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if i.filename.endswith(".npy")}
    if not members:
        raise InputError("holds no arrays; write it with numpy.savez")
    return members


def read_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array of an archive; from 1 GB on mapped where it lies, or in a temporary file if it is packed."""
    try:
        with archive.open(member) as stream:
            layout = read_layout(stream, member.file_size)
            if not layout.shape:
                raise InputError("is a single number; it needs one or two dimensions")
            if layout.nbytes == 0:
                return np.empty(layout.shape, layout.dtype)
            start = data_offset(path, member) + stream.tell()
            lies_plainly = member.compress_type == zipfile.ZIP_STORED and start % layout.dtype.itemsize == 0
            if lies_plainly and layout.nbytes >= faceset.MAPPED_FROM:
                return mapped(path, layout, start)
            shape = layout.shape[::-1] if layout.fortran else layout.shape
            array = filled(shape, layout.dtype, unpacked(stream, shape, layout), path.parent)
            return array.T if layout.fortran else array
    except InputError as error:
        raise InputError(f"array {member.filename.removesuffix('.npy')} {error}") from error


def read_layout(stream: IO[bytes], size: int) -> Layout:
    """The head of a `.npy` of `size` bytes; the stream stands at the first number afterwards.

    InputError: no head, Python objects, fewer or more bytes than the head announces.
    """
    try:
        version = npy.read_magic(stream)
        if version == (1, 0):
            layout = Layout(*npy.read_array_header_1_0(stream))
        elif version == (2, 0):
            layout = Layout(*npy.read_array_header_2_0(stream))
        else:
            raise InputError(f"is of .npy version {version}; write it with numpy.save")
    except (InputError, OSError, zipfile.BadZipFile, zlib.error):
        raise
    except Exception as error:  # the head is a Python literal: one that is damaged fails in any way
        raise InputError("has no .npy head; it is another kind of file, or damaged") from error
    if layout.dtype.hasobject:
        raise InputError("holds Python objects (a pickle), which are never loaded; save plain numbers or text")
    if min(layout.shape, default=0) < 0 or stream.tell() + layout.nbytes != size:
        raise InputError(
            f"is damaged or cut off: {layout.shape} {layout.dtype} takes {layout.nbytes:,} bytes "
            f"but {size - stream.tell():,} are there; write it again"
        )
    return layout


def mapped(path: Path, layout: Layout, offset: int) -> NDArray[Any]:
    """The array as it lies in the file, read as it is used."""
    return np.memmap(path, layout.dtype, mode="r", offset=offset, shape=layout.shape, order=layout.order)


def data_offset(path: Path, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin in its archive; its local header has lengths of its own."""
    with path.open("rb") as raw:
        raw.seek(member.header_offset)
        head = raw.read(LOCAL_HEADER)
    name, extra = struct.unpack("<HH", head[26:])
    return int(member.header_offset + LOCAL_HEADER + name + extra)


def unpacked(stream: IO[bytes], shape: tuple[int, ...], layout: Layout) -> Iterator[NDArray[Any]]:
    """The rows of a member in blocks; with the last the archive checks its sum."""
    row = layout.nbytes // shape[0]
    rows_a_block = max(1, min(BLOCK, (1 << 24) // row))
    for start in range(0, shape[0], rows_a_block):
        rows = min(rows_a_block, shape[0] - start)
        data = stream.read(rows * row)
        if len(data) < rows * row:
            raise InputError("is cut off; write it again")
        yield np.frombuffer(data, layout.dtype).reshape(rows, *shape[1:])
