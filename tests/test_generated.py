"""``generated/`` is what the examples emit, to the byte."""

import pytest

from tests.generated import EXAMPLES, ROOT, files


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_generated_is_current(example):
    if example.stem == "digits":
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    folder = ROOT / "generated" / example.stem
    there = {
        str(p.relative_to(ROOT / "generated")): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()
    }
    assert there == files(example), "run: python -m tests.generated"
