"""Optimizers: 100 steps of every row against Keras 3's equations in NumPy, through the compiled loop."""

import pickle

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import CallError, DeclarationError
from symgrad.train import optimizers
from symgrad.train.loop import Course, Loop
from symgrad.train.state import State
from symgrad.train.step import step_of
from tests.train.plain import objective_of

STEPS = 100


def clipped(on, gradients):
    if on.clipvalue is not None:
        return [np.clip(g, -on.clipvalue, on.clipvalue) for g in gradients]
    if on.clipnorm is not None:
        return [g * on.clipnorm / max(np.linalg.norm(g), on.clipnorm) for g in gradients]
    if on.global_clipnorm is not None:
        whole = np.sqrt(sum(np.sum(g * g) for g in gradients))
        return [g * on.global_clipnorm / max(whole, on.global_clipnorm) for g in gradients]
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
    "sgd": sgd, "momentum": sgd, "nesterov": sgd, "adagrad": adagrad, "rmsprop": rmsprop, "adam": adam, "adamw": adam,
    "adamax": adamax, "nadam": nadam, "adadelta": adadelta, "lion": lion,
}  # fmt: skip
CONFIGURED = [
    *(optimizers.Maker(row)() for row in optimizers.TABLE),
    optimizers.SGD(lr=0.1, momentum=0.5, weight_decay=0.01),
    optimizers.RMSprop(0.02, centered=True, momentum=0.8),
    optimizers.Adam(0.05, amsgrad=True, clipvalue=0.1),
    optimizers.Adam(0.05, clipnorm=0.3),
    optimizers.SGD(0.05, global_clipnorm=0.3),
]


def problem():
    x, y = sg.input("x", ("n", 3)), sg.input("y", ("n",))
    w, b = sg.parameter("w", (3,)), sg.parameter("b")
    return sg.mean((sg.tanh(x @ w + b) - y) ** 2), [x, y], [w, b]


LOSS, DATA, PARAMETERS = problem()
GRADIENT = sg.compile(LOSS)
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 3)), RNG.normal(size=12)


@pytest.mark.parametrize("optimizer", CONFIGURED, ids=repr)
def test_equations_are_kerass(optimizer):
    loop = Loop(step_of(objective_of(LOSS, DATA, PARAMETERS), optimizer, shuffled=False), "float64")
    training = loop.step.training
    starts = {s.name: s.start for s in optimizer.slots}
    slots = [name for own in loop.step.slots.own for name in own] + list(loop.step.slots.shared)
    first = [np.array([0.3, -0.2, 0.1]), np.array(0.5)]
    arrays = [*first, *(np.full(v.shape, starts[n]) for v, n in zip(loop.step.slots.flat(), slots, strict=True))]
    state = State([v["variable"].name for v in training.state], [v.shape for v in training.state], arrays)
    clock = loop.clock(12)
    rate = optimizer.learning_rate
    assert loop.run(Course(12, 4), clock, ((X, Y), 0), state.arrays, (STEPS, rate)) == -1

    weights, kept = [a.copy() for a in first], [{}, {}]
    for t in range(1, STEPS + 1):
        rows = slice((t - 1) % 3 * 4, (t - 1) % 3 * 4 + 4)
        gradients = clipped(optimizer.on, GRADIENT.grad(X[rows], Y[rows], *weights))
        for i, g in enumerate(gradients):
            if optimizer.on.weight_decay:
                weights[i] = weights[i] - weights[i] * optimizer.on.weight_decay * rate
            weights[i] = KERAS[optimizer.name](weights[i], np.asarray(g), kept[i], optimizer.on, rate, t)
    for name, expected in zip(("w", "b"), weights, strict=True):
        np.testing.assert_allclose(state[name], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], ids=str)
def test_gradient_descent_is_pytorchs(options):
    torch = pytest.importorskip("torch", reason="PyTorch is an optional peer")
    weight = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.SGD([weight], lr=0.1, **options)
    w, state = np.array([0.3, -0.2]), {}
    for t in range(1, STEPS + 1):
        theirs.zero_grad()
        (weight**2).sum().backward()
        theirs.step()
        w = sgd(w, 2 * w, state, optimizers.SGD(0.1, **options).on, 0.1, t)
    np.testing.assert_allclose(w, weight.detach().numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("row", optimizers.TABLE, ids=lambda row: row.name)
def test_rows_are_whole(row):
    made = optimizers.get(row.name)
    assert made == pickle.loads(pickle.dumps(made))
    assert made == eval(repr(made), {t: optimizers.Maker(r) for t, r in optimizers.OPTIMIZERS.items()})
    assert made.latex().count("{") == made.latex().count("}")
    assert row.source


def test_mistakes_are_answered():
    with pytest.raises(DeclarationError, match="no optimizer") as caught:
        optimizers.get("addam")
    assert "adam" in caught.value.fix
    for bad in ({"learning_rate": -1.0}, {"learning_rate": float("nan")}, {"momentum": 1.5}, {"momentum": "much"}):
        with pytest.raises(DeclarationError):
            optimizers.SGD(**bad)
    with pytest.raises(CallError):
        optimizers.SGD(lr=0.1, learning_rate=0.1)
    with pytest.raises(CallError, match="no option"):
        optimizers.Adam(beta1=0.9)
