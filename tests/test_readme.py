"""The README's Python blocks run, each in a namespace of its own."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(block, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "block.py"
    path.write_text(block)
    exec(compile(block, str(path), "exec"), {"__name__": "readme"})


def test_there_are_two_commands_of_one_line():
    fences = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert [len(f.strip().splitlines()) for f in fences[:2]] == [1, 1]
    assert "pytest" in fences[1]
