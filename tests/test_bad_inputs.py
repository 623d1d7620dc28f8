"""Inputs that must not crash, hang, run code, or give a silent wrong result: facts/bad_inputs.json, row by row.

Rows about text are tried here, all in one fresh process that is watched: what it opens, imports, runs and
starts, its time and its memory. Every other row names the test that tries it.
"""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from symgrad.errors import ExpressionError
from symgrad.frontend.text import parse
from symgrad.ir.node import Node
from symgrad.ir.walk import topological

FACTS = json.loads((Path(__file__).parent / "facts" / "bad_inputs.json").read_text(encoding="utf-8"))["inputs"]
ROWS = {row["id"]: row for row in FACTS}
SECONDS = 1.0
MEGABYTES = 200

# The text of each row about text: as the row writes it, or as it describes it.
DESCRIBED = {
    9: '\uff45val("1+1")',
    14: "x\n1",
    15: "x\x00",
    16: "",
    20: "1/3",
    21: "-2*Mod(x,3)",
    37: "0." + "1" * 100_000,
    38: "1" * 5000,
    39: "(" * 5000 + "x" + ")" * 5000,
    40: "-" * 5000 + "x",
    41: "+".join(["x"] * 50_000),
}
ACCEPTED = {20, 21}
VERBATIM = {*range(1, 8), *range(10, 14), 17, 18, 19, 22, *range(23, 31), *range(32, 35), 36}
TEXTS = {i: DESCRIBED.get(i, ROWS[i]["input"]) for i in sorted({*DESCRIBED, *VERBATIM})}

# Rows that are not about text, and the test that tries them.
TESTS_OF_CATEGORIES = {
    "resource-bomb": "tests/test_limits.py",  # 42 to 48: graphs, not text
    "symbol-name": "tests/test_names.py",
    "latex": "tests/test_names.py",
    "model-file": "tests/train/test_files.py",
    "cache": "tests/runtime/test_cache.py",
    "array-input": "tests/test_array_inputs.py",
}
ELSEWHERE = {i: TESTS_OF_CATEGORIES[row["category"]] for i, row in ROWS.items() if i not in TEXTS}
SUSPECT = ("os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pickle.", "urllib.")


def test_every_row_is_tried_somewhere():
    assert {*TEXTS, *ELSEWHERE} == set(ROWS)
    assert {row["category"] for row in ROWS.values()} == {"expression-string", *TESTS_OF_CATEGORIES}
    assert [i for i in ELSEWHERE if ROWS[i]["category"] == "resource-bomb"] == list(range(42, 49))


def answer(text: str) -> dict:
    """What ``parse`` says to a text, and how long it takes."""
    start = time.process_time()
    try:
        said = repr(parse(text))
        kind = "Tensor"
    except BaseException as error:  # a crash of any kind is what is looked for
        said, kind = str(error), type(error).__name__
    return {"kind": kind, "said": said, "seconds": time.process_time() - start}


def watched_answers() -> dict:
    """The answers to all texts, and the events that reading a formula must not cause."""
    seen: list[str] = []
    watching = False

    def hook(event: str, arguments: tuple) -> None:
        if watching and _is_suspect(event, arguments):
            seen.append(f"{event} {arguments!r:.200}")

    answer("x"), answer(";")  # what Python does once: import a codec, read this file for the line of an error
    sys.addaudithook(hook)
    watching = True
    answers = {i: answer(text) for i, text in TEXTS.items()}
    watching = False
    return {"answers": answers, "seen": seen, "peaks": {i: peak(text) for i, text in TEXTS.items()}}


def peak(text: str) -> float:
    """The megabytes that Python holds at once for a text."""
    tracemalloc.start()
    answer(text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def _is_suspect(event: str, arguments: tuple) -> bool:
    if event == "open":
        return arguments[1] is None or set(arguments[1]) & set("wax+") != set()
    return event in ("exec", "import") or event.startswith(SUSPECT)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """This file as a program, in an empty directory."""
    where = tmp_path_factory.mktemp("probe")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-W", "error", __file__]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert list(where.iterdir()) == []
    return json.loads(done.stdout)


def test_text_runs_nothing_and_writes_nothing(probe):
    assert probe["seen"] == []


@pytest.mark.parametrize("row", TEXTS)
def test_text_is_answered_in_time_and_memory(probe, row):
    assert probe["answers"][str(row)]["seconds"] < SECONDS
    assert probe["peaks"][str(row)] < MEGABYTES


@pytest.mark.parametrize("row", [i for i in TEXTS if i not in ACCEPTED])
def test_bad_text_is_refused(probe, row):
    given = probe["answers"][str(row)]
    assert given["kind"] == "ExpressionError", ROWS[row]
    assert row == 16 or "(column " in given["said"]


def test_refusal_is_a_value_error():
    with pytest.raises(ValueError, match="column 2") as caught:
        parse(TEXTS[6])
    assert isinstance(caught.value, ExpressionError)


def test_a_third_is_rounded_once():
    node = parse(TEXTS[20]).node
    assert node.op.name == "constant"
    assert node["value"] == float.fromhex("0x1.5555555555555p-2")


def test_mod_keeps_its_factor():
    assert value(parse(TEXTS[21]).node, x=1.0) == -2.0


def value(output: Node, **inputs: float) -> float:
    """The value of a graph of scalars by the references of its operations."""
    found: dict[Node, float] = {}
    for node in topological([output]):
        if node.op.name == "variable":
            found[node] = inputs[node["variable"].name]
        elif node.op.name == "constant":
            found[node] = node["value"]
        else:
            found[node] = node.op.reference(*(found[a] for a in node.args), **node.params)
    return float(found[output])


if __name__ == "__main__":
    print(json.dumps(watched_answers()))
