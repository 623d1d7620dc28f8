"""Optimizers: 100 steps of every row against Keras 3's equations in NumPy, compiled alone and in the loop."""

import copy
import pickle

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.errors import CallError, DeclarationError, DtypeError
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Variable
from symgrad.ir.types import ArrayType
from symgrad.ops.leaf import variable
from symgrad.train.loop import Course, Loop
from symgrad.train.rules import optimizers, schedules
from symgrad.train.state import State
from symgrad.train.step import slots_of, step_of
from tests.train.plain import objective_of

STEPS = 100


def clipped(o, gradients):
    if o.clipvalue is not None:
        return [np.clip(g, -o.clipvalue, o.clipvalue) for g in gradients]
    if o.clipnorm is not None:
        return [g * o.clipnorm / max(np.linalg.norm(g), o.clipnorm) for g in gradients]
    if o.global_clipnorm is not None:
        whole = np.sqrt(sum(np.sum(g * g) for g in gradients))
        return [g * o.global_clipnorm / max(whole, o.global_clipnorm) for g in gradients]
    return gradients


def sgd(w, g, s, o, lr, t):
    if not o.momentum:
        return w - lr * g
    s["v"] = o.momentum * s.get("v", 0.0) - lr * g
    return w + o.momentum * s["v"] - lr * g if o.nesterov else w + s["v"]


def adagrad(w, g, s, o, lr, t):
    s["a"] = s.get("a", o.initial_accumulator_value) + g * g
    return w - lr * g / np.sqrt(s["a"] + o.epsilon)


def rmsprop(w, g, s, o, lr, t):
    s["v"] = o.rho * s.get("v", 0.0) + (1 - o.rho) * g * g
    spread = s["v"]
    if o.centered:
        s["a"] = o.rho * s.get("a", 0.0) + (1 - o.rho) * g
        spread = s["v"] - s["a"] ** 2
    step = lr * g / np.sqrt(spread + o.epsilon)
    if o.momentum:
        s["m"] = step = o.momentum * s.get("m", 0.0) + step
    return w - step


def moments(g, s, o):
    s["m"] = s.get("m", 0.0) + (g - s.get("m", 0.0)) * (1 - o.beta_1)
    s["v"] = s.get("v", 0.0) + (g * g - s.get("v", 0.0)) * (1 - o.beta_2)
    return s["m"], s["v"]


def adam(w, g, s, o, lr, t):
    alpha = lr * np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
    m, v = moments(g, s, o)
    if o.amsgrad:
        v = s["h"] = np.maximum(s.get("h", 0.0), v)
    return w - m * alpha / (np.sqrt(v) + o.epsilon)


def adamax(w, g, s, o, lr, t):
    s["m"] = s.get("m", 0.0) + (g - s.get("m", 0.0)) * (1 - o.beta_1)
    s["u"] = np.maximum(o.beta_2 * s.get("u", 0.0), abs(g))
    return w - lr * s["m"] / ((1 - o.beta_1**t) * (s["u"] + o.epsilon))


def nadam(w, g, s, o, lr, t):
    now, following = (o.beta_1 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
    s["p"] = s.get("p", 1.0) * now
    m, v = moments(g, s, o)
    m_hat = following * m / (1 - s["p"] * following) + (1 - now) * g / (1 - s["p"])
    return w - lr * m_hat / (np.sqrt(v / (1 - o.beta_2**t)) + o.epsilon)


def adadelta(w, g, s, o, lr, t):
    s["g"] = o.rho * s.get("g", 0.0) + (1 - o.rho) * g * g
    delta = -np.sqrt(s.get("d", 0.0) + o.epsilon) * g / np.sqrt(s["g"] + o.epsilon)
    s["d"] = o.rho * s.get("d", 0.0) + (1 - o.rho) * delta * delta
    return w + lr * delta


def lion(w, g, s, o, lr, t):
    m = s.get("m", 0.0)
    s["m"] = o.beta_2 * m + (1 - o.beta_2) * g
    return w - lr * np.sign(o.beta_1 * m + (1 - o.beta_1) * g)


KERAS = {
    "SGD": sgd, "Adagrad": adagrad, "RMSprop": rmsprop, "Adam": adam, "AdamW": adam, "Adamax": adamax, "Nadam": nadam,
    "Adadelta": adadelta, "Lion": lion,
}  # fmt: skip
DEFAULTS = [optimizers.get(name) for name in optimizers.MAKERS if name != "LBFGS"]
CONFIGURED = [
    *DEFAULTS,
    optimizers.SGD(lr=0.1, momentum=0.5, weight_decay=0.01),
    optimizers.Nesterov(lr=0.1, weight_decay=0.1, clipvalue=0.5),
    optimizers.RMSprop(0.02, centered=True, momentum=0.8),
    optimizers.RMSprop(0.02, centered=True, rho=0.5, weight_decay=0.001),
    optimizers.Adam(0.05, amsgrad=True, clipvalue=0.1),
    optimizers.Adam(0.05, clipnorm=0.3),
    optimizers.AdamW(0.05, weight_decay=0.1, amsgrad=True),
    optimizers.Adadelta(1.0, rho=0.9),
    optimizers.Adagrad(0.1, initial_accumulator_value=0.0),
    optimizers.SGD(0.05, global_clipnorm=0.3),
    optimizers.Nadam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3, weight_decay=0.01),
]


def stepped_in_numpy(optimizer, weights, gradients, kept, t, rate):
    """One step of Keras's equations on every parameter."""
    decay = optimizer.weight_decay or 0.0
    for i, g in enumerate(clipped(optimizer, gradients)):
        decayed = weights[i] - weights[i] * decay * rate
        weights[i] = KERAS[optimizer.name](decayed, np.asarray(g), kept[i], optimizer, rate, t)


# Through the compiled loop


def problem():
    x, y = sg.input("x", ("n", 3)), sg.input("y", ("n",))
    w, b = sg.parameter("w", (3,)), sg.parameter("b")
    return sg.mean((sg.tanh(x @ w + b) - y) ** 2), [x, y], [w, b]


LOSS, DATA, PARAMETERS = problem()
GRADIENT = sg.compile(LOSS)
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 3)), RNG.normal(size=12)


@pytest.mark.parametrize("optimizer", [*DEFAULTS, optimizers.SGD(0.05, global_clipnorm=0.3)], ids=repr)
def test_equations_are_kerass(optimizer):
    loop = Loop(step_of(objective_of(LOSS, DATA, PARAMETERS), optimizer, shuffled=False), "float64")
    training = loop.step.training
    starts = {s.name: s.start for s in optimizer.slots}
    slots = [name for own in loop.step.slots.own for name in own] + list(loop.step.slots.shared)
    first = [np.array([0.3, -0.2, 0.1]), np.array(0.5)]
    arrays = [*first, *(np.full(v.shape, starts[n]) for v, n in zip(loop.step.slots.flat(), slots, strict=True))]
    state = State([v["variable"].name for v in training.state], [v.shape for v in training.state], arrays)
    clock, rate = loop.clock(12), optimizer.learning_rate
    assert loop.run(Course(12, 4), clock, ((X, Y), 0), state.arrays, (STEPS, rate)) == -1

    weights, kept = [a.copy() for a in first], [{}, {}]
    for t in range(1, STEPS + 1):
        rows = slice((t - 1) % 3 * 4, (t - 1) % 3 * 4 + 4)
        stepped_in_numpy(optimizer, weights, GRADIENT.grad(X[rows], Y[rows], *weights), kept, t, rate)
    for name, expected in zip(("w", "b"), weights, strict=True):
        np.testing.assert_allclose(state[name], expected, rtol=1e-12, atol=1e-14)


# By themselves


class Update:
    """An optimizer's step over a vector and a scalar, compiled by sg.compile."""

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.thetas = [sg.parameter("w", (5,)).node, sg.parameter("b").node]
        bars = [sg.input("w_bar", (5,)).node, sg.input("b_bar").node]
        slots = slots_of(optimizer, self.thetas)
        step = variable(Variable("step", "input"), ArrayType((), "int"))
        eta, t = sg.input("eta").node, sg.input("t").node
        rate = optimizer.rate(step, eta)
        thetas, own, shared = optimizer.update(self.thetas, bars, slots.own, slots.shared, (rate, t))
        assert [n.type for n in thetas] == [n.type for n in self.thetas]
        new = [*thetas, *(n for o in own for n in o.values()), *shared.values()]
        self.state = [*self.thetas, *slots.flat()]
        assert [n.type for n in new] == [n.type for n in self.state]
        inputs = [*self.state, *bars, eta, t, step]
        self.function = sg.compile([Tensor(n) for n in new], wrt=[], inputs=[Tensor(n) for n in inputs])

    def start(self, *thetas):
        starts = {s.name: s.start for s in self.optimizer.slots}
        slots = self.state[2:]
        names = [v["variable"].name.removeprefix("w_").removeprefix("b_") for v in slots]
        return [*thetas, *(np.full(v.shape, starts[n]) for v, n in zip(slots, names, strict=True))]

    def step(self, state, gradients, t, eta):
        return list(self.function(*state, *gradients, eta, float(t), t - 1))


SCALED = [*((o, 1.0) for o in CONFIGURED), *((o, scale) for o in DEFAULTS for scale in (1e-4, 1e3))]


@pytest.mark.parametrize(("optimizer", "scale"), SCALED, ids=str)
def test_update_of_random_gradients_is_kerass(optimizer, scale):
    """Rounding moves a running mean by some ulp of the largest gradient; nothing here divides that by less than 1."""
    update, rng, rate = Update(optimizer), np.random.default_rng(7), optimizer.learning_rate
    first = [rng.normal(size=5), rng.normal()]
    state, weights, kept = update.start(*first), [*first], [{}, {}]
    for t in range(1, STEPS + 1):
        gradients = [scale * rng.normal(size=5) * (rng.random(5) > 0.2), scale * rng.normal()]
        state = update.step(state, gradients, t, rate)
        stepped_in_numpy(optimizer, weights, gradients, kept, t, rate)
    for got, expected in zip(state, weights, strict=False):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_gradients_of_zero_leave_what_has_no_momentum():
    for optimizer in DEFAULTS:
        update = Update(optimizer)
        state = update.start(np.arange(5.0), 1.0)
        w, b = update.step(state, [np.zeros(5), 0.0], 1, optimizer.learning_rate)[:2]
        share = 1.0 - optimizer.learning_rate * (optimizer.weight_decay or 0.0)
        np.testing.assert_allclose(w, share * np.arange(5.0), rtol=1e-15)
        assert b == pytest.approx(share, rel=1e-15)


def test_clipping_of_zero_and_of_large_gradients():
    """A gradient of 0 stays 0, one of 1e200 does not overflow its own norm."""
    for options in ({"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.5}):
        update = Update(optimizers.SGD(1.0, **options))
        for g in (np.zeros(5), np.full(5, 1e200)):
            w, _ = update.step(update.start(np.zeros(5), 0.0), [g, 0.0], 1, 1.0)
            expected = 0.5 if options == {"clipvalue": 0.5} else 0.5 / np.sqrt(5)
            np.testing.assert_allclose(w, -expected * np.sign(g), rtol=1e-15)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], ids=str)
def test_gradient_descent_is_pytorchs(options):
    torch = pytest.importorskip("torch", reason="PyTorch is an optional peer")
    rng = np.random.default_rng(5)
    first = [rng.normal(size=5), rng.normal()]
    weights = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in first]
    theirs = torch.optim.SGD(weights, lr=0.1, **options)
    update = Update(optimizers.SGD(0.1, **options))
    state = update.start(*first)
    for t in range(1, STEPS + 1):
        gradients = [rng.normal(size=5), rng.normal()]
        for w, g in zip(weights, gradients, strict=True):
            w.grad = torch.tensor(g, dtype=torch.float64)
        theirs.step()
        state = update.step(state, gradients, t, 0.1)
    for w, mine in zip(weights, state, strict=False):
        np.testing.assert_allclose(mine, w.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_a_schedule_gives_the_rate_of_each_step():
    schedule = schedules.StepDecay(1.0, decay_steps=2)
    update = Update(optimizers.SGD(schedule, weight_decay=0.1))
    state, w = update.start(np.ones(5), 1.0), 1.0
    for t in range(1, 7):
        state = update.step(state, [np.zeros(5), 0.5], t, 99.0)  # the run-time rate is passed over
        eta = 0.5 ** ((t - 1) // 2)
        w = w - eta * 0.1 * w - eta * 0.5
        assert state[1] == pytest.approx(w, rel=1e-14)
    assert update.optimizer.learning_rate_start == 1.0


# Rows


def lines(optimizer):
    """The equations of a block, without its alignment."""
    return optimizer.latex().replace("&", "").split("\n")[1:-1]


@pytest.mark.parametrize("name", optimizers.MAKERS)
def test_what_is_printed(name, snapshot):
    assert optimizers.get(name).latex() == snapshot


def test_what_is_printed_of_options(snapshot):
    cosine = schedules.CosineDecay(0.1, 100)
    made = (
        optimizers.Adam(cosine, amsgrad=True, weight_decay=0.01, global_clipnorm=1.0),
        optimizers.RMSprop(0.1, momentum=0.5, centered=True, clipnorm=2.5),
        optimizers.Nesterov(0.1, weight_decay=0.01, clipvalue=0.5),
        optimizers.Adam(lambda t: 0.1 / (1 + t)),
    )
    for optimizer in made:
        assert optimizer.latex() == snapshot
        assert optimizer._repr_latex_() == f"$$\n{optimizer.latex()}\n$$"


@pytest.mark.parametrize("row", optimizers.TABLE, ids=lambda row: row.name)
def test_rows_are_whole(row):
    """State is changed by the equations of some options; letters are those of options, or known to the block."""
    assert row.source
    made = optimizers.MAKERS[row.name]
    variants = [made()] + [made(**{o.name: True}) for o in row.options if o.default is False]
    variants += [made(momentum=0.5)] if any(o.name == "momentum" for o in row.options) else []
    if any(o.name == "centered" for o in row.options):
        variants.append(made(momentum=0.5, centered=True))
    assert {s.name for v in variants for s in v.slots} == {s.name for s in row.slots.values()}
    for v in variants:
        assert v.latex().count("{") == v.latex().count("}")
        assert len(lines(v)) > 1
        assert not v.full_batch or v.slots == ()


@pytest.mark.parametrize("optimizer", [*CONFIGURED, optimizers.LBFGS(maxiter=20)], ids=repr)
def test_optimizers_are_values(optimizer):
    again = eval(repr(optimizer), {**optimizers.MAKERS, **schedules.MAKERS})
    for other in (again, copy.copy(optimizer), copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert other == optimizer
        assert hash(other) == hash(optimizer)
        assert repr(other) == repr(optimizer)
    assert optimizers.get(optimizer) is optimizer
    assert optimizer != optimizers.SGD(0.123)
    assert optimizer.full_batch == (optimizer.name == "LBFGS")
    with pytest.raises(CallError, match="options do not change"):
        optimizer.learning_rate = 0.5


def test_names_are_found():
    assert optimizers.get("adam") == optimizers.get("Adam") == optimizers.get(optimizers.Adam) == optimizers.Adam()
    assert optimizers.get("nesterov") == optimizers.SGD(momentum=0.9, nesterov=True)
    assert optimizers.Momentum(0.1, 0.5) == optimizers.SGD(0.1, momentum=0.5)
    assert optimizers.Adam(lr=0.1) == optimizers.Adam(0.1) == optimizers.Adam(np.float64(0.1))
    assert optimizers.Adam().beta_1 == 0.9
    assert optimizers.get("rmsprop", lr=0.5).learning_rate == 0.5
    t = sp.Symbol("t")
    assert optimizers.SGD(0.1 / (1 + t)) == optimizers.SGD(lambda step: 0.1 / (1 + step))


MISTAKES = {
    "nearest": lambda: optimizers.get("addam"),
    "unknown": lambda: optimizers.get("newton"),
    "no name": lambda: optimizers.get(3),
    "negative": lambda: optimizers.SGD(learning_rate=-1.0),
    "nan": lambda: optimizers.SGD(float("nan")),
    "infinite": lambda: optimizers.SGD(float("inf")),
    "huge": lambda: optimizers.SGD(10**400),
    "text": lambda: optimizers.SGD("fast"),
    "none": lambda: optimizers.SGD(None),
    "momentum": lambda: optimizers.SGD(momentum=1.5),
    "text as momentum": lambda: optimizers.SGD(momentum="much"),
    "beta": lambda: optimizers.Adam(beta_1=1.0),
    "flag": lambda: optimizers.Adam(amsgrad=1),
    "clip": lambda: optimizers.Adam(clipnorm=0),
    "two clips": lambda: optimizers.Adam(clipnorm=1, clipvalue=1),
    "decay": lambda: optimizers.AdamW(weight_decay=None),
    "option": lambda: optimizers.Adam(beta1=0.9),
    "twice": lambda: optimizers.SGD(lr=0.1, learning_rate=0.1),
    "positions": lambda: optimizers.SGD(0.1, 0.2, True, None, None, None, None, 1),
    "whole": lambda: optimizers.LBFGS(maxiter=2.5),
    "symbols": lambda: optimizers.SGD(sp.Symbol("t") * sp.Symbol("k")),
    "branch": lambda: optimizers.SGD(lambda t: 0.1 if t > 3 else 0.2),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_answered(name, snapshot):
    with pytest.raises((CallError, DeclarationError, DtypeError)) as caught:
        MISTAKES[name]()
    error = caught.value
    assert [type(error).__name__, error.summary, *map(list, error.facts), error.fix] == snapshot
