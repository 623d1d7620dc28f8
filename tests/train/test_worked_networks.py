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
    equal, drawn = printed("zero_initialisation").split("glorot_uniform")
    zeros, equal = equal.split("all 1/2")
    assert "loss 0.693147 -> 0.693147; different hidden units: 1" in zeros
    assert set(re.findall(r": (\d\.\d+)[,}]", zeros)) == {"0.0"}
    assert "different hidden units: 1" in equal, "equal weights stay equal, zero or not"
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


@example("convolution", pytest.mark.slow)
def test_convolutions_read_digits():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    text = printed("convolution")
    assert float(re.search(r"\ntest accuracy (\d\.\d+)", text)[1]) >= 0.98
    assert float(re.search(r"\nvalidation accuracy (\d\.\d+)", text)[1]) >= 0.98


@example("early_stopping", pytest.mark.slow)
def test_early_stopping_keeps_the_best():
    without, with_it = printed("early_stopping").split("with early stopping")
    epochs, best, end, now, error = (
        [float(re.search(pattern, part)[1]) for part in (without, with_it)]
        for pattern in (
            r": (\d+) epochs",
            r"at best (\S+)",
            r"at the end (\S+),",
            r"weights now (\S+)",
            r"sin x: (\S+)",
        )
    )
    assert epochs[1] < epochs[0] / 4
    assert best[0] == best[1], "up to there both runs are the same"
    assert now[0] == end[0] > 2 * best[0], "the last weights are not the best"
    assert now[1] == best[1] < end[1], "the best weights are restored"
    assert error[1] < error[0] / 2


@example("09b_score_functions")
def test_hidden_layers_tell_rings_apart():
    text = printed("09b_score_functions")
    for formula in ("s = W x: (3x3) (3xm)", "s = W2 max(0, W1 x): (3x16) (16x3) (3xm)",
                    "s = W3 max(0, W2 max(0, W1 x)): (3x16) (16x16) (16x3) (3xm)"):  # fmt: skip
        assert formula in text
    linear, two, three = (int(v) for v in re.findall(r"(\d+)% of the points", text))
    assert linear < 60
    assert min(two, three) >= 99


@example("17b_every_activation", pytest.mark.slow)
def test_epochs_to_a_given_loss():
    rows = re.findall(r"^(\S.*?) {2,}(never|\d+) +(\d\.\d+)$", printed("17b_every_activation"), re.MULTILINE)
    epochs = {name: float("inf") if there == "never" else int(there) for name, there, _ in rows}
    assert len(epochs) == 13
    assert {name for name, there in epochs.items() if there == float("inf")} == {"linear", "step", "sign", "sigmoid"}
    assert epochs["ReLU"] < epochs["softplus"]
    loss = {name: float(value) for name, _, value in rows}
    assert loss["step"] == pytest.approx(loss["sign"], abs=0.01), "kernels that get no gradient are as good as drawn"
    assert loss["sigmoid"] > 10 * loss["tanh"]


@example("initialisation", pytest.mark.slow)
def test_where_weights_start():
    rows = {
        line[:16].strip(): line[16:].split()
        for line in printed("initialisation").splitlines()
        if not line.startswith("4 layers")
    }
    spread = {name: [float(v) for v in row[:4]] for name, row in rows.items()}
    assert spread["zeros"] == [0, 0, 0, 0]
    assert spread["uniform [0, 1]"][3] > 1000 * spread["uniform [0, 1]"][0]
    assert spread["uniform [-1, 1]"][3] > 4 * spread["uniform [-1, 1]"][0]
    assert max(spread["randn sqrt(2/n)"]) < 1.5 * min(spread["randn sqrt(2/n)"])
    assert spread["Glorot"] == sorted(spread["Glorot"], reverse=True)
    assert float(rows["zeros"][4]) > 1
    assert "training stopped" in " ".join(rows["uniform [-1, 1]"])
    assert float(rows["randn sqrt(2/n)"][4]) < float(rows["Glorot"][4]) < 0.01


def test_every_script_that_trains_is_tested():
    assert TESTED == TRAINED
