"""Ctrl-C while the compiled loop runs."""

import json
import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import json, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background has it ignored
import numpy as np
import symgrad as sg

kind = sys.argv[1]
rows = 300_000 if kind == "one epoch" else 30
X = np.random.default_rng(0).normal(size=(rows, 4))
Y = X.sum(axis=1, keepdims=True)
net = sg.nn.Sequential([sg.nn.Dense(8, activation="tanh"), sg.nn.Dense(1)], input_shape=(4,))
net.compile(sg.optimizers.SGD(1e-6), loss="mse")

class Watched:
    "The quantity is best at epoch 7; says when the loop is at its pace."
    slices, kept = 0, None
    def on_train_begin(self, logs): pass
    def on_advance(self, step, totals):
        self.slices += 1
        if self.slices == 40:
            print("running", flush=True)

class Planted(Watched):
    def on_epoch_end(self, epoch, logs):
        logs["planted"] = abs(epoch - 7)
        if epoch == 7:
            self.kept = net.state_dict()

watched = Planted() if kind == "best" else Watched()
callbacks = [watched]
if kind == "best":
    callbacks.append(sg.callbacks.EarlyStopping("planted", mode="min", patience=10**9, restore_best_weights=True))
raised = False
try:
    net.fit(X, Y, epochs=10**6, batch_size=3, callbacks=callbacks)
except KeyboardInterrupt:
    raised = True
caught = time.process_time()
same = kind != "best" or all(np.array_equal(v, watched.kept[k]) for k, v in net.state_dict().items())
epochs = net.iterations // (-(-rows // 3))
logged = kind == "best" or len(net.history.history.get("loss", [])) == epochs
net.fit(X[:30], Y[:30], epochs=1)
usable = bool(np.isfinite(net.predict(X[:3])).all())
print(json.dumps({"raised": raised, "caught": caught, "same": same, "logged": logged, "usable": usable}))
"""
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def processor_seconds(pid):
    """What a process has used so far, as the kernel counts it."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="processor time of another process, from /proc")
@pytest.mark.parametrize("kind", ["best", "epochs", "one epoch"])
def test_ctrl_c_ends_a_run_at_once(kind):
    command = [sys.executable, "-W", "error", "-c", PROGRAM, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "running\n"
            sent = processor_seconds(child.pid)
            child.send_signal(signal.SIGINT)
            found = json.loads(child.stdout.readline())
        finally:
            child.kill()
    assert found.pop("caught") - sent < 0.2  # of processor time: other programs do not count
    assert found == dict.fromkeys(("raised", "same", "logged", "usable"), True)
