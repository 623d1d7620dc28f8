"""A small run whose every part must come back: Nadam, dropout, shuffling, validation, and callbacks that remember.

As a program: train with checkpoints in the file that is named, resuming, and be killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np

import symgrad as sg

EPOCHS, LAST = 9, 5  # the run takes more than LAST
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = np.tanh(X @ [[1.0], [-2.0]]) + 0.1 * RNG.normal(size=(30, 1))


class Network:
    """Makes the network, and puts one back to where it began."""

    def __call__(self):
        layers = [sg.nn.Dense(5, activation="tanh"), sg.nn.BatchNormalization(), sg.nn.Dropout(0.2), sg.nn.Dense(1)]
        net = sg.nn.Sequential(layers, input_shape=(2,), seed=3)
        net.compile(sg.optimizers.Nadam(0.02), loss="mse", metrics=["mae"])
        net.begun = net.state_dict()
        return net

    def anew(self, net):
        """First weights, fresh slots and clock, without compiling again."""
        net.load_state_dict(net.begun)
        net.learning_rate, net.iterations, net._slots = net.optimizer.learning_rate_start, 0, net._fresh_slots()


network = Network()


def fit(net, callbacks, resume, stops=True, **options):
    """The run; it stops early at an epoch that depends on what is remembered."""
    mine = [sg.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.05)]
    if stops:
        mine.append(sg.callbacks.EarlyStopping(patience=3, min_delta=0.02, restore_best_weights=True))
    settings = {"epochs": EPOCHS, "batch_size": 4, "seed": 1, "validation_split": 0.2, "resume": resume}
    net.fit(X, Y, callbacks=[*mine, *callbacks], **(settings | options))


def outcome(net):
    """All that training leaves."""
    history = {f"history/{k}": v for k, v in net.history.history.items()}
    rest = {"rate": net.learning_rate, "iterations": net.iterations, "history/epoch": net.history.epoch}
    return {**net.state_dict(), **net._slots.copied(), **history, **rest}


def serve(path):
    """For each number that is read: a process that trains, resuming, and is killed after the time of so many epochs.

    Says whether it had come to its end. Processes are forked, so that each trains at once.
    """
    trained = network()
    for epochs in (1, 20):  # the first run compiles
        begun = time.perf_counter()
        fit(trained, [sg.callbacks.ModelCheckpoint(f"{path}.warm")], None, epochs=epochs, stops=False)
    epoch = (time.perf_counter() - begun) / 20
    for line in sys.stdin:
        process = os.fork()
        if not process:
            network.anew(trained)
            fit(trained, [sg.callbacks.ModelCheckpoint(path)], path, epochs=400, stops=False)
            os._exit(0)
        time.sleep(float(line) * epoch)
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        print("ended" if os.WIFEXITED(status) else "killed", flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
