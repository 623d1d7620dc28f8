"""Files that must not be read as models: for each a name, its bytes (or how to make it), the row of the facts it tries.

``sealed`` packs anything as ``files.write`` would, with every checksum right: what an attacker sends, not an accident.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.train.storage.contents import seal
from symgrad.train.storage.files import write
from symgrad.train.storage.layout import Member, array_header, directory, local_header

TRUNCATIONS, FLIPS = 50, 200
DOCUMENT = {"layers": [{"units": 3, "activation": "relu"}, {"units": 1, "rate": 0.5}], "name": "net", "flags": [True]}
ARRAYS = {
    "dense_kernel": np.linspace(-1, 1, 24).reshape(8, 3),
    "dense_bias": np.arange(3, dtype=np.float32),
    "order": np.arange(40)[::-1],
    "mask": np.array([True, False]),
    "step": np.array(7),
}


class Marker:
    """An object whose unpickling makes a file: harmless, and seen."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("was-executed",)


def good(folder: Path) -> bytes:
    """The bytes of a file that is one."""
    write(folder / "good.npz", DOCUMENT, ARRAYS)
    return (folder / "good.npz").read_bytes()


def described(**changed: Any) -> dict[str, Any]:
    """The description of a file of one array, W = [1, 2], with some fields changed."""
    w = {"name": "W", "dtype": "float64", "shape": [2], "sha256": sha(W)}
    return {"format": "symgrad", "version": 1, "kind": "model", "arrays": [w], "document": {}, **changed}


W = np.array([1.0, 2.0]).tobytes()
NAN, SEVEN = np.array([1.0, np.nan]).tobytes(), b"\7"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def one(**changed: Any) -> dict[str, Any]:
    """The description with its array changed; what is None is left out."""
    w = {**described()["arrays"][0], **changed}
    return described(arrays=[{k: v for k, v in w.items() if v is not None}])


def sealed(description: Any, data: bytes = W, header: bytes | None = None, name: str = "W.npy") -> bytes:
    """A file of that description (or of any text) and one member, with all checksums right."""
    text = description if isinstance(description, bytes) else json.dumps(description, separators=(",", ":")).encode()
    body = (array_header("float64", (2,)) if header is None else header) + data
    members = [Member("symgrad.json", zlib.crc32(text), len(text)), Member(name, zlib.crc32(body), len(body))]
    return local_header(members[0]) + text + local_header(members[1]) + body + directory(members, seal(text))


def npz(**arrays: Any) -> bytes:
    """An npz of NumPy's."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def archive(*members: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of any program's."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as z:
        for name, data in members:
            z.writestr(name, data)
    return file.getvalue()


def safetensors(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """The layout of another format."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensors(**entries: Any) -> bytes:
    """A safetensors file of entries (shape, begin, end), 16 bytes of data."""
    listed = {k: {"dtype": "F32", "shape": s, "data_offsets": [a, b]} for k, (s, a, b) in entries.items()}
    return safetensors(json.dumps(listed).encode(), bytes(16))


def text_of(document: str) -> bytes:
    """A file whose document is any text."""
    return sealed(json.dumps(described(document=None), separators=(",", ":")).replace("null", document).encode())


SIZE = array_header("float64", (2,))
BOMB = SIZE.replace(b"(2,), }".ljust(24), b"(100000, 100000), }".ljust(24))
KERAS = {"class_name": "Lambda", "module": "os", "config": {"function": ["4wEAAAAAAAAA", None, None]}}
JSON = json.dumps({**KERAS, "safe_mode": False, "registered_name": "os.system"}).encode()

# name -> (row of facts/bad_inputs.json, bytes)
FILES: dict[str, tuple[int, bytes]] = {
    "a pickle": (93, pickle.dumps(Marker())),
    "a pickle of protocol 0": (93, pickle.dumps(Marker(), protocol=0)),
    "a pickle as an array": (93, sealed(described(), pickle.dumps(Marker()))),
    "npz of objects": (94, npz(a=np.array([Marker()], dtype=object))),
    "npz of numbers": (94, npz(W=np.ones(2))),
    "an array of objects": (94, sealed(one(dtype="object"))),
    "a header of objects": (94, sealed(described(), W, SIZE.replace(b"'<f8'", b"'|O' "))),
    "a header of Fortran order": (94, sealed(described(), W, SIZE.replace(b"False", b"True "))),
    "a header that is an expression": (94, sealed(described(), W, SIZE.replace(b"(2,)", b"[()]"))),
    "one array": (94, SIZE + W),
    "Keras's JSON": (95, JSON),
    "Keras's JSON in a zip": (95, archive(("config.json", JSON), ("model.weights.h5", b"\x89HDF\r\n"))),
    "a class beside the document": (95, sealed({**described(), **KERAS})),
    "a document that is a class": (95, sealed(described(document=[KERAS]))),
    "HDF5": (95, b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "a flag": (96, sealed({**described(), "safe_mode": False})),
    "a flag of an array": (96, sealed(one(allow_pickle=True))),
    "version 0": (97, sealed(described(version=0))),
    "version true": (97, sealed(described(version=True))),
    "version of text": (97, sealed(described(version="1"))),
    "no version": (97, sealed({k: v for k, v in described().items() if k != "version"})),
    "an expression": (98, b"__import__('os').mkdir('was-executed')"),
    "an expression for the document": (98, sealed(described(document="__import__('os').mkdir('was-executed')"))),
    "an expression for a shape": (98, sealed(one(shape="__import__('os').mkdir('was-executed')"))),
    "an expression for a kind": (98, sealed(described(kind="__import__('os').mkdir('was-executed')"))),
    "a member outside": (99, archive(("../../x.npy", SIZE + W), ("/abs.npy", SIZE + W))),
    "a member outside, sealed": (99, sealed(described(), name="../../x.npy")),
    "a member at the root, sealed": (99, sealed(described(), name="/abs.npy")),
    "an array outside": (99, sealed(one(name="../../x"), name="../../x.npy")),
    "a bomb": (100, archive(("W.npy", BOMB + bytes(10**7)), how=zipfile.ZIP_DEFLATED)),
    "a bomb of members": (100, archive(*((f"{i}.npy", b"") for i in range(50_000)))),
    "a description of 10 GB": (100, sealed(one(shape=[10**5, 10**5]), header=array_header("float64", (10**5, 10**5)))),
    "an overflowing shape": (100, sealed(one(shape=[2**63, 2**63, 0]), b"")),
    "a shape of many axes": (100, sealed(one(shape=[1] * 10_000))),
    "a negative shape": (100, sealed(one(shape=[-2]))),
    "a shape of truths": (100, sealed(one(shape=[True, 2]))),
    "deep JSON": (100, text_of("[" * 100_000 + "]" * 100_000)),
    "deep JSON in a string's shadow": (100, text_of('{"a":"\\"[","b":' + "[" * 5000 + "]" * 5000 + "}")),
    "JSON of many parts": (100, text_of("[" + "[]," * 2_000_000 + "[]]")),
    "JSON of many brackets": (100, text_of("[1" + "]" * 7_000_000)),
    "JSON of many quotes": (100, text_of('"' + '\\"' * 3_000_000)),
    "JSON too long": (100, text_of('"' + "x" * 9_000_000 + '"')),
    "a long number": (100, text_of("1" * 1_000_000)),
    "many arrays": (100, sealed(described(arrays=described()["arrays"] * 10_000))),
    "safetensors: long header": (102, safetensors(b"{}", length=2**63)),
    "safetensors: no brace": (103, safetensors(b"[]")),
    "safetensors: overlap": (104, tensors(a=([3], 0, 12), b=([3], 4, 16))),
    "safetensors: hole": (104, tensors(a=([1], 0, 4), b=([1], 12, 16))),
    "safetensors: outside": (104, tensors(a=([8], 0, 32))),
    "safetensors: overflow": (105, tensors(a=([2**62, 4], 0, 16))),
    "NaN": (110, text_of('{"loss":NaN}')),
    "infinity": (110, text_of('{"loss":-Infinity}')),
    "1e999": (110, text_of('{"loss":1e999}')),
    "a name twice": (110, text_of('{"loss":1,"loss":2}')),
    "a bare name": (110, text_of("{loss:1}")),
    "UTF-16": (110, sealed(json.dumps(described()).encode("utf-16"))),
    "not ASCII": (110, text_of('{"name":"\u00e9"}')),
    "another shape": (111, sealed(one(shape=[3]))),
    "another type": (111, sealed(one(dtype="float32"))),
    "more elements": (111, sealed(described(), W + W)),
    "another order of axes": (111, sealed(one(shape=[1, 2]))),
    "an array less": (111, sealed(described(arrays=[]))),
    "an array twice": (111, sealed(described(arrays=described()["arrays"] * 2))),
    "an array without name": (111, sealed(one(name=""))),
    "an array without checksum": (111, sealed(one(sha256=None))),
    "another checksum": (111, sealed(one(sha256="0" * 64))),
    "a truth that is 7": (
        111, sealed(one(dtype="bool", shape=[1], sha256=sha(SEVEN)), SEVEN, array_header("bool", (1,)))
    ),
    "NaN as a weight": (112, sealed(one(sha256=sha(NAN)), NAN)),
    "the future": (113, sealed(described(version=999))),
    "the future, with fields": (113, sealed({"format": "symgrad", "version": 2, "sections": []})),
    "format 999": (113, sealed(described(format=999))),
    "empty": (116, b""),
    "zeros": (116, bytes(5000)),
    "text": (116, b"hello\n"),
}  # fmt: skip

# name -> (row, how the path is made)
PATHS: dict[str, tuple[int, Callable[[Path], Any]]] = {
    "a directory": (114, lambda path: path.mkdir()),
    "a pipe": (114, lambda path: os.mkfifo(path)),
    "a device": (114, lambda path: path.symlink_to("/dev/zero")),
    "a link": (114, lambda path: path.symlink_to("/etc/passwd")),
    "a link to a model": (114, lambda path: path.symlink_to(path.with_name("good.npz"))),
    "a link to itself": (114, lambda path: path.symlink_to(path)),
}


def accidents(whole: bytes) -> dict[str, tuple[int, bytes]]:
    """Cuts and flipped bits at random positions."""
    r = random.Random(17)
    lengths = r.sample(range(1, len(whole)), TRUNCATIONS)
    found = {f"cut to {n} bytes": (107, whole[:n]) for n in lengths}
    for place in r.sample(range(8 * len(whole)), FLIPS):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        found[f"bit {place} flipped"] = (108, bytes(changed))
    return found


def make(folder: Path) -> dict[str, Path]:
    """All of them as files in a folder."""
    whole = good(folder)
    paths = {}
    for i, (name, (_, data)) in enumerate({**FILES, **accidents(whole)}.items()):
        paths[name] = folder / f"{i}.npz"
        paths[name].write_bytes(data)
    for i, (name, (_, create)) in enumerate(PATHS.items()):
        paths[name] = folder / f"path{i}.npz"
        create(paths[name])
    return paths
