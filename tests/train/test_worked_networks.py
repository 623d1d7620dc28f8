"""The example scripts that train: the numbers of the text come out, and what is to be seen is seen."""

import re

import pytest

from tests.test_examples import ROOT, TRAINED, output

TESTED = set()


def printed(stem):
    return output(ROOT / "examples" / f"{stem}.py")


def example(stem, *marks):
    """Mark a test as the one of an example."""
    TESTED.add(stem)

    def marked(function):
        for mark in marks:
            function = mark(function)
        return function

    return marked


@example("08_twenty_lines", pytest.mark.slow)
def test_twenty_lines():
    text = printed("08_twenty_lines")
    assert "t = 0: loss 24635.8935\nt = 999: loss 41.1565\nt = 1999: loss 4.3485\n" in text


@example("zero_initialisation")
def test_equal_units_stay_equal():
    zeros, drawn = printed("zero_initialisation").split("glorot_uniform")
    assert "loss 0.693147 -> 0.693147; different hidden units: 1" in zeros
    assert set(re.findall(r": (\d\.\d+)[,}]", zeros)) == {"0.0"}
    assert "different hidden units: 4" in drawn
    assert float(re.search(r"-> (\d\.\d+)", drawn)[1]) < 0.01


@example("learning_rates")
def test_learning_rates():
    text = printed("learning_rates")
    assert "rate 0.3: factor 0.4: 1, 0.4, 0.16, 0.064, 0.0256" in text
    assert "rate 1.5: factor -2: 1, 2, 4, 8, 16" in text
    good, bad = (line for line in text.split("\n") if line.startswith("network"))
    first, last = (float(v) for v in re.findall(r"loss (\S+),.*, (\S+);", good)[0])
    assert last < first / 4
    assert "trained to its end" in good
    assert "training stopped" in bad


@example("prelu")
def test_prelu_learns_its_slope():
    assert "learned slope: {'bend_alpha': [0.4]}" in printed("prelu")


@example("diabetes")
def test_diabetes():
    pytest.importorskip("sklearn", reason="the patients come with scikit-learn")
    network, line = (float(v) for v in re.findall(r"R2 (\d\.\d+)", printed("diabetes")))
    assert network > line - 0.05 > 0.25


@example("spiral", pytest.mark.slow)
def test_spiral():
    assert float(re.search(r"accuracy (\d\.\d+)", printed("spiral"))[1]) >= 0.97


def test_every_script_that_trains_is_tested():
    assert TESTED == TRAINED
