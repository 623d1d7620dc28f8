"""What a run shows, and to whom; curves and tables of the history."""

import io
import sys
import types

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DeclarationError
from symgrad.train.watching import progress

X = np.arange(12.0).reshape(6, 2) / 12
Y = X.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def net():
    x = sg.input("X", ("n", 2))
    net = sg.Model(inputs=x, outputs=x @ sg.parameter("W", (2, 1), init="zeros"))
    net.compile("sgd", loss="mse")
    return net


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_shown_where_nobody_looks(net, capsys):
    for verbose in ("auto", 0):
        net.fit(X, Y, epochs=2, verbose=verbose)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, 2])
def test_lines(net, capsys, verbose):
    history = net.fit(X, Y, epochs=10, verbose=verbose, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith(f"epoch  1/10  loss {history.history['loss'][0]:.4g}  val_loss ")
    assert lines[9].startswith("epoch 10/10  ")


@pytest.mark.parametrize("verbose", ["auto", 1])
def test_a_bar_on_a_terminal(net, monkeypatch, verbose):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stdout", out := Terminal())
    history = net.fit(X, Y, epochs=50, verbose=verbose)
    text = out.getvalue()
    assert "epoch 50/50" in text
    assert f"loss {history.history['loss'][-1]:.4g}" in text
    assert text.rstrip().endswith("\x1b[?25h")  # the cursor is seen again


def test_the_bar_ends_with_the_run(net, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out := Terminal())

    def stop(epoch, logs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=50, verbose=1, callbacks=sg.callbacks.LambdaCallback(on_epoch_end=stop))
    assert out.getvalue().rstrip().endswith("\x1b[?25h")


class Screen:
    """IPython's display, as far as a bar needs it."""

    def __init__(self):
        self.seen = []

    def __call__(self, bundle, raw, display_id):
        assert raw
        assert display_id
        self.seen.append(bundle)
        return self

    def update(self, bundle, raw):
        self.seen.append(bundle)


def test_a_bar_in_a_notebook(net, monkeypatch, capsys):
    screen, shell = Screen(), types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=screen))
    net.fit(X, Y, epochs=30)
    assert screen.seen[-1]["text/plain"].startswith("30/30 epoch 30/30  loss ")
    assert 'value="30" max="30"' in screen.seen[-1]["text/html"]
    assert capsys.readouterr() == ("", "")


def test_showing_asks_for_no_python_between_epochs(net, monkeypatch):
    from symgrad.train.watching.watch import Watch

    made = []
    monkeypatch.setattr(Watch, "epoch_begins", lambda self, epoch: made.append(epoch))
    net.fit(X, Y, epochs=20, verbose=2)
    assert not made
    assert all(c.is_passive for c in (*progress.shown(1), *progress.shown(2)))


def test_mistakes_are_answered(net):
    with pytest.raises(DeclarationError, match="verbose"):
        net.fit(X, Y, verbose="loud")


def test_history_shows_itself(net):
    pytest.importorskip("matplotlib").use("Agg")
    history = net.fit(X, Y, epochs=4, validation_split=0.5)
    ax = history.plot()
    assert [line.get_label() for line in ax.lines] == ["loss", "val_loss"]
    for line in ax.lines:
        assert list(line.get_xdata()) == [1, 2, 3, 4]
        assert list(line.get_ydata()) == history.history[line.get_label()]
    assert history.plot("loss", ax) is ax
    with pytest.raises(DeclarationError, match="los"):
        history.plot("los")
    assert repr(history).startswith("<History: 4 epochs, loss ")
    page = history._repr_html_()
    assert f"{min(history.history['loss']):.4g} (epoch 4)" in page
    history.append(4, {"loss": float("nan"), "late": 1.0})
    assert ">late<" in history._repr_html_()
    assert list(history.plot("late").lines[0].get_xdata()) == [5]
    sys.modules["matplotlib.pyplot"].close("all")
