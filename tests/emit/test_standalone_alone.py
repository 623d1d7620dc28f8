"""A standalone file without symgrad, SymPy and SciPy: products by loops, and arrays of other shapes refused."""

import subprocess
import sys

import numpy as np
import pytest

import symgrad as sg

ALONE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("symgrad", "sympy", "scipy"):
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, "")
import numpy as np
"""
CALLS = """
import net
X, y, W, v = np.load("data.npy", allow_pickle=False).reshape(4, -1)
X, W = X.reshape(4, 3), W.reshape(3, 4)
y, v = y[:4], v[:4]
print(repr([np.asarray(g).tolist() for g in net.value_and_grad(X, y, W, v)[1]]))
for arrays in ((X[:3], y, W, v), (X, y[:2], W, v), (X, y, W[:2], v), (X, y, W, v[:3])):
    try:
        net.value_and_grad(*map(np.ascontiguousarray, arrays))
    except ValueError as error:
        print(error)
"""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_with_numpy_and_numba_only(tmp_path, dtype):
    X, y = sg.input("X", ("n", 3)), sg.input("y", ("n",))
    W, v = sg.parameter("W", (3, "m")), sg.parameter("v", ("m",))
    fn = sg.compile(sg.sum((y @ (X @ W)) ** 2) + y @ (X @ (W @ v)), dtype=dtype)
    fn.save_source(tmp_path / "net.py", standalone=True)
    data = np.random.default_rng(0).normal(size=(4, 12)).astype(dtype)
    np.save(tmp_path / "data.npy", data)
    command = [sys.executable, "-I", "-c", ALONE + CALLS]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    gradients, *refused = done.stdout.splitlines()
    wanted = fn.grad(data[0].reshape(4, 3), data[1, :4], data[2].reshape(3, 4), data[3, :4])
    for row, w in zip(gradients.removeprefix("[").removesuffix("]").split("]], "), wanted, strict=True):
        found = np.array([float(x) for x in row.replace("[", "").replace("]", "").split(",")])
        assert found == pytest.approx(w.ravel(), rel=1e-12 if dtype == "float64" else 1e-4)
    short = {"float64": "f64", "float32": "f32"}[dtype]
    assert refused == [f"y: {short}[n]", f"y: {short}[n]", f"W: {short}[3, m]", f"v: {short}[m]"]


def test_the_file_says_which_lengths_agree(tmp_path):
    a, b = sg.input("a", ("n",)), sg.input("b", ("n",))
    half = sg.input("half", (a.shape[0] // 2 + 1,))
    fn = sg.compile(sg.sum(a * b) + sg.sum(half))
    fn.save_source(tmp_path / "net.py", standalone=True)
    text = (tmp_path / "net.py").read_text()
    assert '    if b.shape[0] != a.shape[0]:\n        raise ValueError("b: f64[n]")' in text
    assert "    if half.shape[0] != (a.shape[0]//2+1):" in text
