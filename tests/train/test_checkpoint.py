"""Checkpoints: a run that goes on equals the one that was never stopped, to the bit, whatever stopped it."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.errors import ModelFileError
from symgrad.train.packed import pack, unpack
from tests.train.resumed import EPOCHS, LAST, X, Y, fit, network, outcome


class StopError(Exception):
    pass


class Ends:
    """Something ends the run: after an epoch, or within one."""

    def __init__(self, epoch=None, step=None):
        self.epoch, self.step, self.seen = epoch, step, 0

    def on_epoch_end(self, epoch, logs):
        if epoch == self.epoch:
            raise StopError

    def on_train_batch_end(self, batch, logs):
        self.seen += 1
        if self.seen == self.step:
            raise StopError


@pytest.fixture(scope="module")
def nets():
    return [network(), network()]


@pytest.fixture(scope="module")
def whole(nets):
    found = fresh(nets[0], lambda net: fit(net, [], None))
    assert LAST < len(found["history/epoch"]) < EPOCHS  # it stops early, and takes back its best weights
    return found


def fresh(net, train):
    """What training gives from the first weights on."""
    network.anew(net)
    train(net)
    return outcome(net)


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.builds(Ends, epoch=st.integers(1, LAST)), st.builds(Ends, step=st.integers(7, 6 * LAST))))
def test_a_resumed_run_is_the_whole_run(nets, whole, tmp_path_factory, ends):
    path = tmp_path_factory.mktemp("runs") / "run.npz"
    with pytest.raises(StopError):
        fresh(nets[0], lambda net: fit(net, [sg.callbacks.ModelCheckpoint(path), ends], None))
    assert path.exists()
    same(fresh(nets[1], lambda net: fit(net, [sg.callbacks.ModelCheckpoint(path)], path)), whole)
    same(fresh(nets[1], lambda net: fit(net, [], path)), whole)  # it is at its end


def test_an_interval_of_seconds_may_end_within_an_epoch(nets, whole, tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(StopError):
        fresh(nets[0], lambda net: fit(net, [sg.callbacks.ModelCheckpoint(path, save_freq=0), Ends(step=13)], None))
    assert sg.train.snapshot.read(path).document["step"] == 12
    same(fresh(nets[1], lambda net: fit(net, [], path)), whole)


def test_a_missing_file_starts_afresh(nets, whole, tmp_path):
    same(fresh(nets[1], lambda net: fit(net, [], tmp_path / "none.npz")), whole)


def test_a_damaged_file_falls_back(nets, whole, tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(StopError):
        fresh(nets[0], lambda net: fit(net, [sg.callbacks.ModelCheckpoint(path), Ends(epoch=5)], None))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.warns(RuntimeWarning, match=r"run.npz.previous"):
        same(fresh(nets[1], lambda net: fit(net, [], path)), whole)
    (tmp_path / "run.npz.previous").write_bytes(data)
    before = nets[1].state_dict()
    with pytest.raises(ModelFileError):
        fit(nets[1], [], path)
    same(nets[1].state_dict(), before)


@pytest.mark.parametrize(
    ("options", "what"), [({"seed": 5}, "seed"), ({"batch_size": 3}, "batch size"), ({"shuffle": False}, "shuffle")]
)
def test_another_run_is_refused(nets, tmp_path, options, what):
    path = tmp_path / "run.npz"
    fresh(nets[0], lambda net: fit(net, [sg.callbacks.ModelCheckpoint(path)], None))
    before, history = nets[0].state_dict(), nets[0].history
    with pytest.raises(ModelFileError, match=f"the {what} was another"):
        fit(nets[0], [], path, **options)
    same(nets[0].state_dict(), before)
    assert nets[0].history is history
    other = sg.nn.Sequential([sg.nn.Dense(1)], input_shape=(2,))
    other.compile(nets[0].optimizer, loss="mse", metrics=["mae"])
    with pytest.raises(ModelFileError, match="like the model's"):
        fit(other, [], path)


def test_the_best_is_written_beside(nets, whole, tmp_path):
    path, kept = tmp_path / "run.npz", []
    checkpoint = sg.callbacks.ModelCheckpoint(path, save_best_only=True)
    keep = sg.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(nets[0].state_dict()))
    same(fresh(nets[0], lambda net: fit(net, [checkpoint, keep], None)), whole)
    best = int(np.argmin(whole["history/val_loss"]))
    assert checkpoint.best == whole["history/val_loss"][best]
    saved = sg.train.snapshot.read(checkpoint.best_path)
    same({name: saved.arrays[f"weights/{name}"] for name in kept[best]}, kept[best])
    assert saved.document["step"] == 6 * (best + 1)


def test_a_directory_that_cannot_be_written_is_a_warning(nets, whole, tmp_path):
    checkpoint = sg.callbacks.ModelCheckpoint(tmp_path / "none" / "run.npz")
    with pytest.warns(RuntimeWarning, match="training goes on"):
        same(fresh(nets[0], lambda net: fit(net, [checkpoint], None)), whole)


def test_more_epochs_than_were_asked_for_at_first(nets, tmp_path):
    path = tmp_path / "run.npz"
    fresh(nets[0], lambda net: fit(net, [sg.callbacks.ModelCheckpoint(path)], None, epochs=3, stops=False))
    longer = fresh(nets[0], lambda net: fit(net, [], path, stops=False))
    same(longer, fresh(nets[1], lambda net: fit(net, [], None, stops=False)))


def test_later_epochs_by_their_numbers(nets):
    """Two calls, the second from initial_epoch on, make the updates of one call."""

    def twice(net):
        net.fit(X, Y, epochs=3, batch_size=4, seed=1)
        net.fit(X, Y, epochs=5, batch_size=4, seed=1, initial_epoch=3)

    found = fresh(nets[0], twice)
    once = fresh(nets[1], lambda net: net.fit(X, Y, epochs=5, batch_size=4, seed=1))
    same({k: v for k, v in found.items() if "history" not in k}, {k: v for k, v in once.items() if "history" not in k})


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_callbacks_remember_comes_back(value):
    arrays = {}
    assert unpack(json.loads(json.dumps(pack(value, arrays, "x"))), arrays) == value


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fifty_kills(tmp_path):
    """A run is killed 50 times at random moments; what is left can always be read, and ends as if it had not been."""
    path, rng, kills, steps = tmp_path / "run.npz", random.Random(0), 0, set()
    command = [sys.executable, "-m", "tests.train.resumed", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        while kills < 50:
            server.stdin.write(f"{rng.uniform(0.0, 60.0)}\n")
            server.stdin.flush()
            said = server.stdout.readline().strip()
            if said == "ended":
                path.unlink()  # another run
                continue
            assert said == "killed"
            kills += 1
            if path.exists():
                steps.add(sg.train.snapshot.read(path).document["step"])  # no warning: it is the newest
        server.stdin.close()
    assert len(steps) > 3  # killed at different places of the run
    assert not any(step % 6 for step in steps)
    net, other = network(), network()
    same(
        fresh(net, lambda net: fit(net, [], path, epochs=400, stops=False)),
        fresh(other, lambda net: fit(net, [], None, epochs=400, stops=False)),
    )
