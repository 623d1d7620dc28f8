"""``python -m symgrad train``: the data it takes, what it prints, how it ends."""

import re
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.__main__ import main
from symgrad.errors import DeclarationError, SymgradError
from symgrad.train.console import command as console
from symgrad.train.console import tables
from symgrad.train.console.datasets import DRAWN, generate

FLOWERS = "<script>alert(1)</script>,width,kind\n" + "".join(
    f"{1 + i % 5 + 10 * (i % 2)},{i % 7},{'rose' if i % 2 else 'lily'}\n" for i in range(60)
)


def run(capsys, *argv):
    try:
        code = main(argv)
    except SystemExit as end:  # argparse
        code = end.code
    done = capsys.readouterr()
    return code, done.out, done.err


@pytest.fixture
def flowers(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(FLOWERS, encoding="utf-8")
    return str(path)


def test_words_of_a_csv_file_are_learned(capsys, flowers, tmp_path):
    page, saved = tmp_path / "page.html", str(tmp_path / "net.npz")
    code, out, err = run(capsys, "train", "--csv", flowers, "--target", "kind", "--hidden", "4", "--lr", "0.1",
                         "--epochs", "25", "--test-share", "0.5", "--seed", "3", "--html", str(page),
                         "--save", saved)  # fmt: skip
    assert (code, err) == (0, "")
    assert out.startswith("flowers.csv: 60 rows of 2 features, 2 classes; 30 to learn, 30 to test\n")
    assert "17 parameters, 17 learned" in out
    losses = [float(v) for v in re.findall(r"^ +\d+ +(\d\.\d+) ", out, re.MULTILINE)]
    assert len(losses) == 20
    assert losses[-1] < 0.1 < losses[0]
    assert f"test accuracy 1.0000\nsaved in {saved}" in out
    assert out.endswith(f"the page is {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "mathdefault" not in text  # every label is plain text
    summary = out[out.index("loss binary_crossentropy") : out.index("17 parameters, 17 learned")]
    shown = ["&lt;script&gt;alert(1)&lt;/script&gt;, standardised", "test accuracy 1.0000", "dense_1: ", summary,
             "gradient_norm", "∂J/∂W⁽¹⁾ = Xᵀ δ⁽²⁾", r"\delta^{(2)}", "epoch 25: loss "]  # fmt: skip
    assert [piece for piece in shown if piece not in text] == []
    lily, rose = sg.nn.load(saved).predict([[2.0, 3.0], [13.0, 3.0]])[:, 0]
    assert 0 < lily < 0.1  # probabilities, for rows as they are in the file
    assert 0.9 < rose < 1


def test_a_plane_is_learned_by_one_layer_in_single_precision(capsys):
    code, out, _ = run(capsys, "train", "--data", "plane", "--hidden", "0", "--lr", "0.05", "--dtype", "float32",
                       "--epochs", "20")  # fmt: skip
    assert code == 0
    assert "3 parameters, 3 learned" in out
    assert out.endswith("test r2 1.0000\n")


@pytest.mark.slow
def test_digits_at_least_as_good_as_asked(capsys):
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    code, out, _ = run(capsys, "train", "--data", "digits", "--hidden", "64", "--epochs", "30", "--lr", "0.003")
    assert code == 0
    assert float(out.rsplit(" ", 1)[1]) >= 0.97


def test_a_run_goes_on_and_its_model_takes_rows_as_they_are(capsys, tmp_path):
    """Two commands are one of as many epochs; the saved network needs no standardised rows or targets."""
    command = ["train", "--data", "plane", "--hidden", "0", "--lr", "0.05", "--dtype", "float32"]
    run_file, first, second = (str(tmp_path / name) for name in ("run.npz", "first.npz", "second.npz"))
    code, out, _ = run(capsys, *command, "--checkpoint", run_file, "--resume", "--epochs", "3")
    assert code == 0
    assert "is not there yet: a new run" in out
    code, out, _ = run(capsys, *command, "--checkpoint", run_file, "--resume", "--epochs", "9", "--save", first)
    assert code == 0
    assert "goes on from" in out
    assert re.findall(r"^ +(\d+)  ", out, re.MULTILINE) == [str(i) for i in range(1, 10)]
    assert run(capsys, *command, "--epochs", "9", "--save", second)[0] == 0
    assert Path(first).read_bytes() == Path(second).read_bytes()
    code, _, err = run(capsys, *command, "--checkpoint", run_file, "--resume", "--loss", "mae")
    assert (code, err.split("\n")[0]) == (2, "ModelFileError: run.npz: the loss was another")
    x, y = generate("plane")
    told = 1 - np.mean((sg.nn.load(first).predict(x)[:, 0] - y) ** 2) / np.var(y)
    assert abs(told - float(re.search(r"test r2 (\S+)", out)[1])) < 0.1


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_data_are_a_function_of_seed_and_noise(name):
    x, y = generate(name, rows=301, seed=4)
    assert x.shape == (301, 2)
    assert y.shape == (301,)
    again = generate(name, rows=301, seed=4)
    assert np.array_equal(x, again[0])
    assert np.array_equal(y, again[1])
    assert not np.array_equal(x, generate(name, rows=301, seed=5)[0]) or name == "spiral"
    noisy = generate(name, rows=301, noise=0.5, seed=4)
    assert not np.array_equal(x, noisy[0]) or not np.array_equal(y, noisy[1])
    if DRAWN[name].has_classes:
        assert set(y.tolist()) == {0, 1}


def test_drawn_shapes_are_what_they_say():
    x, y = generate("circle")
    r = np.hypot(*x.T)
    assert ((r <= 2.5) == (y == 1)).all()
    assert ((r >= 3.5) == (y == 0)).all()
    x, y = generate("xor")
    assert ((x.prod(axis=1) > 0) == y).all()
    assert (abs(x) >= 0.3).all()
    x, y = generate("plane")
    np.testing.assert_allclose(y, x.sum(axis=1) / 12, rtol=1e-15)
    x, y = generate("spiral")
    t = np.hypot(*x.T) / 5.0
    np.testing.assert_allclose(x[y == 0], -x[y == 1], atol=1e-14)  # one arm is the other, turned by half a turn
    np.testing.assert_allclose(np.sin(np.arctan2(x[:, 0], x[:, 1]) - 3.5 * np.pi * t - np.pi * y), 0, atol=1e-13)
    x, y = generate("gauss-regression", rows=5000)
    assert (abs(y) <= 1).all()
    assert (y[np.hypot(x[:, 0] - 4, x[:, 1] - 2.5) < 0.5] > 0.7).all()
    for mean in (generate("gauss", rows=4000)[0][label::2].mean(axis=0) for label in (0, 1)):
        np.testing.assert_allclose(abs(mean), 2.0, atol=5 * np.sqrt(0.5 / 2000))


@pytest.mark.parametrize("given", [{"name": "ring"}, {"name": "xor", "rows": 0}, {"name": "xor", "noise": 1.5}])
def test_what_cannot_be_drawn(given):
    with pytest.raises(DeclarationError):
        generate(**given)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["3", "1", "1"], ("1", "3")),
        (["0.5", "1", "1"], ()),
        ([str(i) for i in range(25)], ()),
    ],
)
def test_targets_are_classes_or_numbers(tmp_path, cells, classes):
    path = tmp_path / "t.csv"
    path.write_text("x,t\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)), encoding="utf-8")
    data = tables.read(str(path), "t")
    assert data.classes == classes
    named = [classes[int(v)] for v in data.y] if classes else data.y.tolist()
    assert named == (cells if classes else [float(cell) for cell in cells])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whole_numbers_are_numbers_where_that_is_said(tmp_path, separator):
    path = tmp_path / "t.csv"
    path.write_text(f"x{separator}t\n1{separator}5\n2{separator}3\n", encoding="utf-8")
    data = tables.read(str(path), "t", is_number=True)
    assert (data.classes, data.x.tolist(), data.y.tolist()) == ((), [[1.0], [2.0]], [5.0, 3.0])
    assert tables.read(str(path), "t").classes == ("3", "5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "too few lines"),
        ("x,t\n1,2\n", "too few lines"),
        ("x,x,t\n1,2,3\n1,2,3\n", "the column x twice"),
        ("x,t\n1,2\n1\n", "line 3 has another number of cells"),
        ("x,t\n1,2\nred,2\n", "line 3, column x: 'red' is not a number"),
        ("x,t\n1,2\nnan,2\n", "line 3, column x: 'nan' is not a number"),
        ("x,t\n1,2\n1,\n", "line 3 has no t"),
        ("x,t\n1,inf\n1,2\n", "line 2, column t"),
        ("x,u\n1,2\n1,2\n", "has no column t"),
        ("t\n1\n2\n", "no column besides"),
        ("1,t\n1,2\n1;2,3\n", "'1;2' is not a number"),
        ("1,2\n1,2\n3,4\n", "begins with numbers"),
    ],
)
def test_bad_files(tmp_path, text, said):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SymgradError, match=re.escape(said)):
        tables.read(str(path), "t")


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(SymgradError, match="cannot be read"):
        tables.read(str(tmp_path / "absent.csv"), "t")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SymgradError, match="cannot be read"):
        tables.read(str(tmp_path / "binary.csv"), "t")


def test_two_classes_take_one_logit_or_as_many_as_classes():
    data = tables.Data("", np.zeros((3, 1)), np.array([0, 1, 1]), ("no", "yes"))
    assert console.question(data, None).units == 1
    assert console.question(data, "mse").y.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert console.question(data, "sparse_categorical_crossentropy").units == 2
    numbers = tables.Data("", np.zeros((3, 1)), np.array([0.5, 1, 1]))
    assert console.question(numbers, "mean_absolute_error").loss == "mae"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "one of the arguments --data --csv is required"),
        (["--data", "digit"], "digits"),
        (["--data", "xor", "--csv", "f.csv"], "not allowed with"),
        (["--csv", "absent.csv"], "--csv needs --target"),
        (["--csv", "absent.csv", "--target", "t"], "cannot be read"),
        (["--data", "xor", "--target", "t"], "--target and --numbers are about a column of --csv"),
        (["--data", "xor", "--hidden", "4,a"], "--hidden is a list of layer sizes"),
        (["--data", "xor", "--hidden", "4,0"], "--hidden is a list of layer sizes"),
        (["--data", "xor", "--activation", "rellu"], "relu"),
        (["--data", "xor", "--optimizer", "adan"], "adam"),
        (["--data", "xor", "--loss", "mze"], "mse"),
        (["--data", "xor", "--loss", "poisson"], "poisson is not a loss of 2 classes"),
        (["--data", "plane", "--loss", "hinge"], "hinge is not a loss of numbers"),
        (["--data", "xor", "--lr=-1"], "learning_rate"),
        (["--data", "xor", "--epochs", "0"], "--epochs is 1 or more"),
        (["--data", "xor", "--batch-size", "0"], "--batch-size is 1 or more"),
        (["--data", "xor", "--seed=-1"], "--seed is 0 or more"),
        (["--data", "xor", "--noise", "2"], "noise is a share"),
        (["--data", "xor", "--noise", "nan"], "noise is a share"),
        (["--data", "xor", "--test-share", "1"], "--test-share leaves no rows"),
        (["--data", "xor", "--dtype", "float16"], "invalid choice"),
        (["--data", "xor", "--html", "no such folder/page.html"], "--html: there is no directory"),
        (["--data", "xor", "--html", "."], "--html: . is a directory"),
        (["--data", "xor", "--epochs", "many"], "invalid int value"),
        (["--data", "xor", "--resume"], "--resume needs the file"),
        (["--data", "xor", "--checkpoint", "none/run.npz"], "there is no directory none"),
        (["--data", "xor", "--save", "/"], "/ is a directory"),
        (["--data", "xor", "--save", "a.npz", "--checkpoint", "./a.npz"], "are one file"),
        (["--data", "xor", "--checkpoint", __file__], "a run would be written over"),
    ],
)
def test_errors_end_with_two_and_a_message(capsys, argv, said):
    code, out, err = run(capsys, "train", *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_noise_is_for_data_that_are_drawn(capsys):
    pytest.importorskip("sklearn", reason="iris comes with scikit-learn")
    code, _, err = run(capsys, "train", "--data", "iris", "--noise", "0.1")
    assert (code, err.split("\n")[0]) == (2, "DeclarationError: noise is for data that are drawn")
