"""Model files: what goes in comes out to the bit, and everything else is refused, at once, with nothing done.

All hostile files are read in one fresh process that is watched: what it opens, imports and runs, its time, its memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from symgrad.errors import DtypeError, ModelFileError, UnsupportedError
from symgrad.train.storage import contents, files
from symgrad.train.storage.document import DEEPEST, MOST_PARTS, DamageError
from symgrad.train.storage.files import ModelFileWarning, read, write
from symgrad.train.storage.layout import DTYPES
from symgrad.train.storage.publish import previous
from tests.train import hostile_files
from tests.train.hostile_files import ARRAYS, DOCUMENT, FILES, PATHS, good

SECONDS, MEGABYTES = 1.0, 200
ROWS = {
    row["id"]
    for row in json.loads((Path(__file__).parents[1] / "facts" / "bad_inputs.json").read_text())["inputs"]
    if row["category"] == "model-file"
}
CHANGING = 115  # a file that changes while it is read: below


# What goes in comes out


def same(found: dict[str, np.ndarray], wanted: dict[str, Any]) -> None:
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (np.asarray(array).dtype.newbyteorder("="), np.shape(array))
        assert found[name].tobytes() == np.asarray(array, found[name].dtype, order="C").tobytes()


def test_a_file_comes_back(tmp_path: Path) -> None:
    good(tmp_path)
    document, found = read(tmp_path / "good.npz")
    assert document == DOCUMENT
    same(found, ARRAYS)
    assert all(a.flags.c_contiguous and a.flags.writeable and a.flags.owndata for a in found.values())


def test_numpy_and_zip_programs_read_it(tmp_path: Path) -> None:
    good(tmp_path)
    with np.load(tmp_path / "good.npz", allow_pickle=False) as npz:
        assert all(np.array_equal(npz[name], a) for name, a in ARRAYS.items())
    with zipfile.ZipFile(tmp_path / "good.npz") as z:
        assert z.testzip() is None
        assert z.namelist() == ["symgrad.json", *(f"{name}.npy" for name in ARRAYS)]


def test_the_bytes_are_these(tmp_path: Path) -> None:
    """Version 1 of the format: a change of it needs another version, and must go on reading this one."""
    assert good(tmp_path) == good(tmp_path)
    digest = hashlib.sha256(good(tmp_path)).hexdigest()
    assert digest == "7a09d21e1078ac49988b1aea157a9fce2f73423c1b891b04364288373db67268"


plain = st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.dictionaries(
    st.text(),
    st.recursive(plain | st.text(), lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(), x, max_size=4)),
    max_size=5,
)
tables = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.sampled_from(list(DTYPES)).flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(documents, tables)
def test_any_document_and_arrays_come_back(document: dict, arrays: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "x.npz"), document, arrays)
        again, found = read(Path(folder, "x.npz"), allow_nan=True)
        assert repr(again) == repr(document)
        same(found, arrays)


def test_arrays_of_any_layout_are_taken(tmp_path: Path) -> None:
    a = np.arange(24.0).reshape(4, 6)
    arrays = {"big": a.astype(">f8"), "t": a.T, "s": a[::2, ::-3], "f": np.asfortranarray(a), "list": [1.5, 2.5]}
    write(tmp_path / "x.npz", {}, arrays)
    same(read(tmp_path / "x.npz")[1], arrays)


def test_names_that_are_no_paths_name_no_members(tmp_path: Path) -> None:
    names = [
        "../../up",
        "/root",
        "a/b",
        "Adam/dense_kernel/m",
        "..",
        "a/../b",
        "W 1",
        "\u03b8",
        "con\n",
        "x" * 300,
        "0",
    ]
    write(tmp_path / "x.npz", {}, {name: np.array([i]) for i, name in enumerate(names)})
    same(read(tmp_path / "x.npz")[1], {name: np.array([i]) for i, name in enumerate(names)})
    with zipfile.ZipFile(tmp_path / "x.npz") as z:
        members = z.namelist()
    kept = ["a/b.npy", "Adam/dense_kernel/m.npy"]
    assert [m for m in members if not m.removesuffix(".npy").isdigit()] == ["symgrad.json", *kept]
    assert len(set(members)) == len(members)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**20, 1j, b"x", np.float32(1), {1: 2}, object(), {3}])
def test_a_document_holds_data_only(value: Any, tmp_path: Path) -> None:
    with pytest.raises(DtypeError, match="a model file holds"):
        write(tmp_path / "x.npz", {"a": [value]}, {})
    assert not list(tmp_path.iterdir())


def test_a_document_is_bounded_when_it_is_written(tmp_path: Path) -> None:
    deep: Any = 0
    for _ in range(DEEPEST):
        deep = [deep]
    for document in ({"a": deep}, {"a": [0] * (MOST_PARTS + 1)}, {"a": "x" * 9_000_000}):
        with pytest.raises(UnsupportedError):
            write(tmp_path / "x.npz", document, {})


@pytest.mark.parametrize("array", [np.array([1j]), np.array(["a"]), np.array([None]), np.ones(2, np.float16)])
def test_arrays_hold_numbers_only(array: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(DtypeError, match="does not hold arrays"):
        write(tmp_path / "x.npz", {}, {"a": array})


def test_memory_stays_at_the_size_of_the_file(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(4 << 20,))
    arrays = {"W": array, "V": array[::-1].copy()}
    tracemalloc.start()
    try:
        write(tmp_path / "x.npz", {}, arrays)
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        found = read(tmp_path / "x.npz")
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written < 4 << 20
    assert taken < 2 * array.nbytes + (4 << 20)
    assert len(found[1]) == 2


# What is refused


WATCH = """
import json, os, sys, time, tracemalloc
from pathlib import Path
from symgrad.errors import ModelFileError
from symgrad.train.load import load as read  # sg.nn.load
seen, watching = [], False
QUIET = ("object.__getattr__", "sys._getframe", "os.lstat", "os.listdir", "code.__new__")
def hook(event, arguments):
    if watching and event not in QUIET:
        seen.append((event, [str(a)[:200] for a in arguments]))
try:
    read("/")  # what Python does once: import a codec, read a file for the line of an error
except ModelFileError:
    sys.addaudithook(hook)
answers = {}
tracemalloc.start()
for name, path in json.loads(sys.stdin.read()).items():
    seen.clear()
    tracemalloc.reset_peak()
    held, start, watching = tracemalloc.get_traced_memory()[0], time.process_time(), True
    try:
        said, kind, fix = str(read(path)), "read", ""
    except BaseException as error:
        said, kind, fix = getattr(error, "summary", str(error)), type(error).__name__, getattr(error, "fix", "")
    watching = False
    answers[name] = {"kind": kind, "said": said, "fix": fix, "seconds": time.process_time() - start,
                     "bytes": tracemalloc.get_traced_memory()[1] - held, "events": list(seen)}
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def answers(folder: Path) -> dict[str, dict[str, Any]]:
    """What ``sg.nn.load`` says to every hostile file, by name."""
    paths = {name: str(path) for name, path in hostile_files.make(folder).items()} | {"/dev/zero": "/dev/zero"}
    before = sorted(folder.iterdir())
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCH],
        input=json.dumps(paths), capture_output=True, text=True, cwd=folder, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(folder.iterdir()) == before  # nothing is written, Marker has not run
    return json.loads(done.stdout)


CASES = [*FILES, *PATHS, "/dev/zero"]


def test_every_row_of_the_facts_is_tried(folder: Path) -> None:
    tried = {row for row, _ in [*FILES.values(), *PATHS.values(), *hostile_files.accidents(bytes(1000)).values()]}
    assert tried | {CHANGING} == ROWS


def refused(answer: dict[str, Any]) -> None:
    assert answer["kind"] == "ModelFileError", answer
    assert answer["fix"]
    assert answer["seconds"] < SECONDS, answer["seconds"]
    assert answer["bytes"] < MEGABYTES * 2**20, answer["bytes"]
    for event, arguments in answer["events"]:
        assert event == "open", (event, arguments)
        assert not int(arguments[2]) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT), arguments


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_refused(name: str, answers: dict, snapshot: Any) -> None:
    refused(answers[name])
    said = answers[name]["said"].partition(": ")[2]
    assert f"{said}\n-> {answers[name]['fix']}" == snapshot


def test_links_and_devices_are_not_even_opened(answers: dict) -> None:
    assert not any(answers[name]["events"] for name in [*PATHS, "/dev/zero"])


def test_every_cut_and_every_flipped_bit_is_refused(answers: dict) -> None:
    accidents = {name: answer for name, answer in answers.items() if name not in CASES}
    assert len(accidents) == hostile_files.TRUNCATIONS + hostile_files.FLIPS
    for answer in accidents.values():
        refused(answer)


def test_no_bit_of_a_file_is_unread(tmp_path: Path) -> None:
    """One flipped bit anywhere, and every length but the right one, is found."""
    path = tmp_path / "x.npz"
    write(path, {"a": 1}, {"W": np.ones(2), "b": np.array([True])})
    whole = path.read_bytes()
    with open(path, "r+b", buffering=0) as file:
        for place in range(len(whole)):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([whole[place] ^ 1 << bit]), place)
                with pytest.raises((DamageError, ModelFileError)):
                    contents.contents(path)
            os.pwrite(file.fileno(), whole[place : place + 1], place)
        contents.contents(path)
        for length in range(len(whole) - 1, -1, -1):
            file.truncate(length)
            with pytest.raises(DamageError):
                contents.contents(path)


def change(path: Path, how: str) -> None:
    """Change a file, as another process might."""
    with open(path, "r+b") as file:
        if how == "grows":
            file.seek(0, os.SEEK_END)
            file.write(bytes(100))
        elif how == "shrinks":
            file.truncate(os.path.getsize(path) // 2)
        else:
            file.seek(-600, os.SEEK_END)
            file.write(bytes(300))


@pytest.mark.parametrize("how", ["grows", "shrinks", "changes"])
def test_a_file_that_changes_while_it_is_read(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every moment of reading (row 115): it is refused, or what was there is read whole."""
    real, refusals, moment = contents._read_into, 0, 0
    while True:
        good(tmp_path)
        calls = iter(range(1000))

        def reading(file: Any, view: memoryview, calls: Any = calls, moment: int = moment) -> None:
            if next(calls) == moment:
                change(tmp_path / "good.npz", how)
            real(file, view)

        monkeypatch.setattr(contents, "_read_into", reading)
        try:
            same(read(tmp_path / "good.npz")[1], ARRAYS)
        except ModelFileError:
            refusals += 1
        if next(calls) <= moment:
            break
        moment += 1
    assert moment > 10
    assert refusals >= (moment if how == "grows" else 3)


def test_a_missing_file_is_no_damaged_one(tmp_path: Path) -> None:
    good(tmp_path)
    os.rename(tmp_path / "good.npz", previous(tmp_path / "good.npz"))
    for generations in (1, 2):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "good.npz", generations=generations)


# Options


def test_nan_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    arrays = {"W": np.array([[1.0, np.nan]]), "history": np.array([np.nan], np.float32), "best": np.array(np.inf)}
    write(tmp_path / "x.npz", {}, arrays)
    with pytest.raises(ModelFileError, match="the array W holds NaN"):
        read(tmp_path / "x.npz")
    with pytest.raises(ModelFileError, match="the array W holds NaN"):
        read(tmp_path / "x.npz", allow_nan=["history"])
    same(read(tmp_path / "x.npz", allow_nan={"W", "history"})[1], arrays)
    same(read(tmp_path / "x.npz", allow_nan=True)[1], arrays)


def test_a_kind_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "x.npz", {}, {}, kind="checkpoint")
    assert read(tmp_path / "x.npz") == read(tmp_path / "x.npz", kind="checkpoint") == ({}, {})
    with pytest.raises(ModelFileError, match="it is a checkpoint, not a model"):
        read(tmp_path / "x.npz", kind="model")


def state(k: int) -> tuple[dict, dict]:
    return {"k": k}, {"W": np.full(50, float(k))}


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "another format": lambda path: path.write_text("{}"),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_falls_back_a_generation(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    for k in range(3):
        write(path, *state(k), generations=2)
    DAMAGES[damage](path)
    with pytest.raises(ModelFileError):
        read(path)
    with pytest.warns(ModelFileWarning, match=r"run\.npz: .*; run\.npz\.previous is read instead"):
        assert read(path, generations=2)[0] == {"k": 1}
    previous(path).write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"run\.npz: "):
        read(path, generations=2)


def test_only_damage_falls_back(tmp_path: Path) -> None:
    """A later version, another kind and NaN are no accidents of the disk."""
    path = tmp_path / "run.npz"
    write(path, *state(0))
    write(path, {}, {"W": np.array(np.nan)}, generations=2)
    with pytest.raises(ModelFileError, match="NaN"):
        read(path, generations=2)
    with pytest.raises(ModelFileError, match="not a checkpoint"):
        read(path, kind="checkpoint", allow_nan=True, generations=2)
    path.write_bytes(FILES["the future"][1])
    with pytest.raises(ModelFileError, match="a later symgrad wrote it"):
        read(path, generations=2)


def test_reading_is_quick(tmp_path: Path) -> None:
    """A thousand arrays take no more than their reading."""
    write(tmp_path / "x.npz", {}, {f"w{i}": np.ones(10) for i in range(1000)})
    start = time.process_time()
    files.read(tmp_path / "x.npz")
    assert time.process_time() - start < 2
