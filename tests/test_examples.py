"""The example scripts run as a reader runs them, and print the numbers of the text."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from matplotlib import pyplot

from tests.frontend.stored_samples import returns
from tests.generated import EXAMPLES, files, run

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))

PRINTED = {  # what must stand in the output, in this order
    "01_gates": [
        "f = -12, df/dq = -4, df/dx = -4, df/dy = -4, df/dz = 3",
        "f = -20, gradients -8, 6, 2, 0",
        "f = -9, gradients -3, 3",
    ],
    "02_sigmoid_neuron": [
        "f = 0.7310585786", "-0.5344466454", "-0.5344466454", "-0.1966119332", "0.1966119332",
        "w0 = -0.1966119332", "x0 = 0.3932238665", "w1 = -0.3932238665", "x1 = -0.5898357997", "w2 = 0.1966119332",
    ],
    "03_composite": ["h(2) = 36; backward 12, 24", "(36.0, 24.0)", "90.0 1188.0"],
    "04_vectorised": ["f = 0.116", "[0.44, 0.52]", "[[0.088, 0.176], [0.104, 0.208]]", "[-0.112, 0.636]"],
    "05_diagonal_jacobian": ["structure diagonal", "134,217,728 bytes", "4096 entries"],
    "06_logistic_regression": [
        "a - y", "L = 0.5458929372", "-1.7261490371", "-0.4206757479", "(-0.0420675748, -0.2944730235)",
        "0.8210337874, 0.3472365117, 0.3103378739", "L = 0.4250500511",
    ],
    "07_two_layers": [
        r"\delta^{(3)} &= -(y - \hat{y}) \odot f'(z^{(3)})", r"X^\top \delta^{(2)}",
        "J = 0.0897828497", "59.8833002884",
        "[[-0.01964839, 0.02272304, -0.02550049], [-0.01441394, 0.01656414, -0.01847338]]",
        "[[-0.09675371], [-0.09033292], [-0.08146022]]", "J = 0.0895177584", "59.9216067353",
    ],
    "10_gradient_descent": ["factor 0.4", "0.001638", "factor -1", "1, -1, 1, -1", "factor -2", "64, -128"],
    "11_linear_regression": [
        "-15.33333333333", "-6.66666666666", "'1/3'", "'3/2'", "0.0555555555555", "[1.5, 0.333333]",
    ],
    "12_xor": ["0.6931471806", "gradient [0.0, 0.0], 0.0", "[0.0, 1.0, 1.0, 0.0]"],
    "13_polar": ["r(3, 4) = 5", "(0.6, 0.8)", "phi(3, 4) = 0.927295218", "(-0.16, 0.12)"],
    "14_softmax": [
        "L = 0.4170300163", "-0.3409988611, 0.2424329707, 0.0985658904",
        "0.8018185525", "0.8869413785", "0.085122826", "[-0.2, 0.1, 0.1]",
    ],
    "07b_neural_network_class": [
        "J = 0.0897828497, the unseen row scores 59.8833002884", "after step 1: J = 0.0895177584, score 59.9216067353",
    ],
    "09_three_layers": [
        "z1 = W1 a0 + b1: (4, m) = (4, 3) (3, m) + (4, 1)", "z2 = W2 a1 + b2: (4, m) = (4, 4) (4, m) + (4, 1)",
        "z3 = W3 a2 + b3: (1, m) = (1, 4) (4, m) + (1, 1)", "(4, 3) (4, 4) (1, 4) (4, 1) (4, 1) (1, 1)",
        "J by columns and by rows: 9.1996005240, 9.1996005240", "gradients agree: True",
    ],
    "16_losses_and_slopes": [
        "mae: y = 1, yhat = 3: 2, slope +1", "mae: y = 1, yhat = 1: 0, slope +0", "slope -1",
        "mse: y = 1, yhat = 3: 4, slope +4", "huber: y = 1, yhat = 3: 1.5, slope +1", "0.125, slope -0.5",
        "logistic: y = 1, yhat = 0.5793242521: 0.545892937", "slope -1.726149037",
        "logistic of a logit: y = 1, z = 0.32: 0.5458929372, slope a - y = -0.4206757479",
        "0.4170300163, slope softmax(z) - p = [-0.3409988611, 0.2424329707, 0.0985658904]",
        "kl_divergence: 0.0851228260, slope softmax(z) - p = [-0.2, 0.1, 0.1]",
        "J = 0.5416666667", "slopes [0.3333333333, 0.0, -0.1666666667]",
        "prelu: x = -2, alpha = 0.25: -0.5, df/dx = 0.25, df/dalpha = -2",
        "prelu: x = -2, alpha = 2: -4, df/dx = 2, df/dalpha = -2",
        "prelu: x = 3, alpha = 2: 3, df/dx = 1, df/dalpha = 0",
    ],
    "17_saturation": [
        "sigmoid'(10) = 4.5395808e-05", "tanh'(5) = 1.815832", "0.25**10 = 9.5367e-07", "sigmoid: layer", "relu: layer",
    ],
    "activations": [
        "sigmoid\nf = σ(x)\n∂f/∂x = f (1 - f)", "ReLU\nf = max(0, x)", "∂f/∂x = {1 if x > 0; 0.01 otherwise}",
        "step                        0.0000   0.0000   0.5000   1.0000   1.0000",
        "piecewise linear            0.0000   0.0000   0.5000", "sigmoid                     0.1192",
        "leaky ReLU 0.1             -0.2000", "0.1000   0.1000   0.1000   1.0000   1.0000",
        "maxout of -x, x/2, 2x - 2   2.0000   1.0000   0.0000   0.5000   2.0000",
    ],
    "data_preparation": [
        "240 points to learn from, 60 kept apart", "centre: z = x - μ", "means [0. 0.]",
        "standardise: z = (x - μ) / σ", "means [0. 0.] deviations [1. 1.]", "divide_by_maximum: z = x / max |x|",
        "[[0.3, 1.0], [0.5, 0.2], [1.0, 0.4]] and (8, 3): [[0.8, 0.6]]", "[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]",
        "['rose']",
    ],
    "loss_surface": [
        "loss 0.25; dL/dx = 1.5; dL/dw = 2, dL/db = 1", "cost of three samples 0.0833333333, mean of their losses "
        "0.0833333333", "b**2 + 4*b*w - 20*b/3 + 14*w**2/3 - 46*w/3 + 38/3", "step 0: w, b = 0.000000, 0.000000",
        "step 1: w, b = 1.533333, 0.666667", "step 300: w, b = 1.4999", "J = 0.05555556",
    ],
    "perceptron": [
        "AND: gradient [[0.0, 0.0], 0.0], learned", "[0.0, 0.0, 0.0, 1.0]", "OR: gradient [[0.0, 0.0], 0.0], learned",
        "[0.0, 1.0, 1.0, 1.0]", "XOR: gradient [[0.0, 0.0], 0.0], not learned", "[0.0, 0.5, 1.0]",
        "two linear layers are one: True",
    ],
    "15_numerical_gradient": ["-0.1966119332", "4.5e-03    5.9e-05", "101,001 evaluations"],
}  # fmt: skip
TRAINED = {  # tests/train/test_worked_networks.py
    "08_twenty_lines", "09b_score_functions", "17b_every_activation", "convolution", "diabetes", "early_stopping",
    "initialisation", "learning_rates", "prelu", "spiral", "zero_initialisation",
}  # fmt: skip


@functools.cache
def ran(script):
    """(functions, text) of a script that runs to its end, and draws if it can; it must warn of nothing."""
    draws = ".png" in script.read_text(encoding="utf-8")
    with (
        contextlib.redirect_stderr(io.StringIO()) as complaints,
        tempfile.TemporaryDirectory() as folder,
    ):
        picture = Path(folder) / "picture.png"
        found = run(script, True, [str(picture)] if draws else [])
        if draws:
            assert picture.read_bytes().startswith(b"\x89PNG")
            assert picture.stat().st_size > 10_000, "an empty picture"
            pyplot.close("all")
    assert complaints.getvalue() == ""
    return found


def output(script):
    """What a script prints."""
    return ran(script)[1]


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda p: p.stem)
def example(request):
    """(path, functions): an example runs once for all tests of it."""
    path = request.param
    if "sklearn" in path.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn", reason="its data come with scikit-learn")
    return path, (run(path, False) if path.stem in {*TRAINED, "digits"} else ran(path))[0]


def test_generated_is_current(example):
    """``generated/`` is what the examples emit, to the byte."""
    path, functions = example
    folder = ROOT / "generated"
    there = {
        str(p.relative_to(folder)): p.read_text(encoding="utf-8")
        for p in (folder / path.stem).rglob("*")
        if p.is_file()
    }
    assert there == files(path, functions), "run: python -m tests.generated"


def test_graphs_come_back(example):
    """Through the form in which model files hold them."""
    for fn in example[1]:
        d = fn._bundle.derived
        returns([*d.inputs, *d.written, *d.outputs, *d.gradients, *d.pulled])


def test_every_script_is_tested():
    assert {s.stem for s in SCRIPTS} == {*PRINTED, *TRAINED, "digits"}


@pytest.mark.parametrize("stem", PRINTED)
def test_prints_the_numbers_of_the_text(stem):
    text = output(ROOT / "examples" / f"{stem}.py")
    place = 0
    for piece in PRINTED[stem]:
        found = text.find(piece, place)
        assert found >= 0, f"{piece!r} is missing after {text[:place][-80:]!r}"
        place = found + len(piece)


def test_the_small_network_learns_xor():
    scores = re.search(r"2000 steps: \[(.*?)\]", output(ROOT / "examples" / "12_xor.py"))
    assert [round(float(v)) for v in scores[1].split(",")] == [0, 1, 1, 0]


@pytest.mark.slow
def test_digits():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(ROOT / "examples" / "digits.py")],
        capture_output=True, text=True, timeout=300, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = done.stdout
    linear, hidden = (float(v) for v in re.findall(r"test accuracy (\d\.\d+)", text))
    assert hidden >= 0.95
    assert linear >= 0.9
    assert text.count("gradient against differences") == 2
    assert "FAIL" not in text
    assert "undecided" not in text
    losses = [float(v) for v in re.findall(r"epoch +\d+ +(\d\.\d+)", text)]
    assert losses[len(losses) // 2 - 1] < losses[0] / 3
    assert losses[-1] < losses[len(losses) // 2] / 3
