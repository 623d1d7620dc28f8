"""Functions whose derivation is tested: the worked examples, and losses and layers that courses add to them."""

import numpy as np

import symgrad as sg


def gates():
    x, y, z = sg.symbols("x y z")
    q = sg.named("q", x + y)
    return sg.named("f", q * z), [q, x, y, z]


def unnamed_gates():
    x, y, z = sg.symbols("x y z")
    return (x + y) * z, [x, y, z]


def max_gate():
    x, y, z, w = sg.symbols("x y z w")
    return 2 * (x * y + sg.maximum(z, w)), [x, y, z, w]


def branch():
    x, y = sg.symbols("x y")
    return x * y + x, [x, y]


def neuron():
    w0, x0, w1, x1, w2 = sg.symbols("w0 x0 w1 x1 w2")
    return 1 / (1 + sg.exp(-(w0 * x0 + w1 * x1 + w2))), [w0, x0, w1, x1, w2]


def sigmoid_neuron():
    w0, x0, w1, x1, w2 = sg.symbols("w0 x0 w1 x1 w2")
    return sg.sigmoid(w0 * x0 + w1 * x1 + w2), [w0, x0, w1, x1, w2]


def composite():
    x = sg.symbol("x")
    return sg.named("h", (2 * (x + 1)) ** 2), [x]


def chain():
    x = sg.symbol("x")
    return (3 * x + 2 * x**3) ** 2, [x]


def squared_norm():
    W, x = sg.parameter("W", (2, 2)), sg.input("x", (2,))
    q = sg.named("q", W @ x)
    return sg.named("f", (q**2).sum()), [W, x]


def logistic():
    x, y, w, b = sg.input("x", (2,)), sg.input("y"), sg.parameter("w", (2,)), sg.parameter("b")
    z = sg.named("z", w @ x + b)
    a = sg.named("a", sg.sigmoid(z))
    return sg.named("L", -(y * sg.log(a) + (1 - y) * sg.log(1 - a))), [w, b]


def logistic_batch():
    X, y, w, b = sg.input("X", ("n", 4)), sg.input("y", ("n",)), sg.parameter("w", (4,)), sg.parameter("b")
    a = sg.named("a", sg.sigmoid(sg.named("z", X @ w + b)))
    return sg.named("J", -(y * sg.log(a) + (1 - y) * sg.log(1 - a)).mean()), [w, b]


def two_layers():
    X, y = sg.input("X", ("n", 2)), sg.input("y", ("n", 1))
    W1, W2 = sg.parameter("W1", (2, 3)), sg.parameter("W2", (3, 1))
    z2 = sg.named("z2", X @ W1)
    a2 = sg.named("a2", sg.sigmoid(z2))
    z3 = sg.named("z3", a2 @ W2)
    yhat = sg.named("yhat", sg.sigmoid(z3))
    return sg.named("J", ((y - yhat) ** 2).sum() / 2), [W1, W2]


def unnamed_layers():
    X, y = sg.input("X", ("n", 2)), sg.input("y", ("n", 1))
    W1, W2 = sg.parameter("W1", (2, 3)), sg.parameter("W2", (3, 1))
    return ((y - sg.sigmoid(sg.sigmoid(X @ W1) @ W2)) ** 2).sum() / 2, [W1, W2]


def relu_layers():
    X, Y = sg.input("X", ("n", 4)), sg.input("Y", ("n", 3))
    W1, b1, W2, b2 = (
        sg.parameter("W1", (4, 5)),
        sg.parameter("b1", (5,)),
        sg.parameter("W2", (5, 3)),
        sg.parameter("b2", (3,)),
    )
    a1 = sg.named("a1", sg.relu(sg.named("z1", X @ W1 + b1)))
    z2 = sg.named("z2", a1 @ W2 + b2)
    return sg.named("J", ((z2 - Y) ** 2).mean()), [W1, b1, W2, b2]


def linear_regression():
    x, y, w1, w0 = sg.input("x", ("n",)), sg.input("y", ("n",)), sg.parameter("w1"), sg.parameter("w0")
    yhat = sg.named("yhat", w1 * x + w0)
    return sg.named("J", ((yhat - y) ** 2).mean()), [w1, w0]


def exclusive_or():
    X, y, w, b = sg.input("X", (4, 2)), sg.input("y", (4,)), sg.parameter("w", (2,)), sg.parameter("b")
    p = sg.named("p", sg.sigmoid(sg.named("z", X @ w + b)))
    return sg.named("L", -(y * sg.log(p) + (1 - y) * sg.log(1 - p)).mean()), [w, b]


def softmax_classifier():
    X, t = sg.input("X", ("n", 4)), sg.input("t", ("n",), dtype="int")
    W, b = sg.parameter("W", (4, 3)), sg.parameter("b", (3,))
    Y = sg.named("Y", sg.one_hot(t, 3))
    p = sg.named("p", sg.softmax(sg.named("z", X @ W + b)))
    return sg.named("J", -(Y * sg.log(p)).sum(axis=1).mean()), [W, b]


def log_softmax_classifier():
    X, t, W = sg.input("X", ("n", 4)), sg.input("t", ("n",), dtype="int"), sg.parameter("W", (4, 3))
    z = sg.named("z", X @ W)
    return sg.named("J", -(sg.one_hot(t, 3) * sg.log_softmax(z)).sum(axis=1).mean()), [W]


def divergence():
    z, p = sg.parameter("z", (3,)), sg.input("p", (3,))
    q = sg.named("q", sg.softmax(z))
    return sg.named("KL", (p * (sg.log(p) - sg.log(q))).sum()), [z]


def hinge():
    X, y, w, b = sg.input("X", ("n", 4)), sg.input("y", ("n",)), sg.parameter("w", (4,)), sg.parameter("b")
    s = sg.named("s", X @ w + b)
    return sg.maximum(0, 1 - y * s).mean(), [w, b]


def huber():
    y, s = sg.input("y", ("n",)), sg.parameter("s", ("n",))
    r = sg.named("r", y - s)
    return sg.where(abs(r) <= 1, 0.5 * r**2, abs(r) - 0.5).mean(), [s]


def focal():
    X, y, w = sg.input("X", ("n", 4)), sg.input("y", ("n",)), sg.parameter("w", (4,))
    p = sg.named("p", sg.sigmoid(sg.named("s", X @ w)))
    return -((1 - p) ** 2 * sg.log(p) * y + p**2 * sg.log(1 - p) * (1 - y)).mean(), [w]


def residual_block():
    x, t, W1, W2 = sg.input("x", (4,)), sg.input("t", (4,)), sg.parameter("W1", (4, 4)), sg.parameter("W2", (4, 4))
    h = sg.named("h", sg.relu(W1 @ x))
    o = sg.named("o", x + W2 @ h)
    return ((o - t) ** 2).sum() / 2, [W1, W2]


def gated_unit():
    x, t, W1, W2 = sg.input("x", (4,)), sg.input("t", (4,)), sg.parameter("W1", (4, 4)), sg.parameter("W2", (4, 4))
    return ((sg.sigmoid(W1 @ x) * sg.tanh(W2 @ x) - t) ** 2).sum(), [W1, W2]


def gaussian():
    d, mu, sigma = sg.input("d", ("n",)), sg.parameter("mu"), sg.parameter("sigma")
    return ((d - mu) ** 2).sum() / (2 * sigma**2) + sg.log(sigma), [mu, sigma]


def layer_norm():
    x, t, gamma, beta = (
        sg.parameter("x", (4,)),
        sg.input("t", (4,)),
        sg.parameter("gamma", (4,)),
        sg.parameter("beta", (4,)),
    )
    mu = sg.named("mu", x.mean())
    v = sg.named("v", ((x - mu) ** 2).mean())
    xhat = sg.named("xhat", (x - mu) / sg.sqrt(v + 1e-5))
    return ((gamma * xhat + beta) * t).sum(), [x, gamma, beta]


def quadratic_form():
    x, A = sg.parameter("x", (4,)), sg.parameter("A", (4, 4))
    return x @ A @ x / 2, [x, A]


def attention():
    Q, K, V = sg.parameter("Q", ("n", 8)), sg.parameter("K", ("m", 8)), sg.parameter("V", ("m", 8))
    P = sg.named("P", sg.softmax(Q @ K.T / np.sqrt(8.0)))
    O = sg.named("O", P @ V)  # noqa: E741
    return (O**2).sum() / 2, [Q, K, V]


def recurrent():
    U, W, h0, t = sg.parameter("U", (4, 4)), sg.parameter("W", (4, 4)), sg.input("h0", (4,)), sg.input("t", (4,))
    h1 = sg.named("h1", sg.tanh(U @ sg.input("x1", (4,)) + W @ h0))
    h2 = sg.named("h2", sg.tanh(U @ sg.input("x2", (4,)) + W @ h1))
    return ((h2 - t) ** 2).sum() / 2, [U, W]


def every_index():
    X, w, k = sg.input("X", (3, 4)), sg.parameter("w", (4,)), sg.input("k", (2,), dtype="int")
    return X[0] @ w + X[1, 2] * w[0] + w[1:].sum() + (sg.take(w, k) ** 2).sum(), [w]


def every_reduction():
    x, A = sg.parameter("x", (4,)), sg.parameter("A", (4, 4))
    return sg.prod(x) + x.max() + sg.norm(x) + sg.std(x) + sg.trace(A @ A) + sg.einsum("ij,ij->", A, A), [x, A]


_WORKED = (gates, unnamed_gates, max_gate, branch, neuron, sigmoid_neuron, composite, chain, squared_norm, logistic)
_LAYERED = (logistic_batch, two_layers, unnamed_layers, relu_layers, linear_regression, exclusive_or)
_SOFT = (softmax_classifier, log_softmax_classifier, divergence)
_LOSSES = (hinge, huber, focal, gaussian, quadratic_form)
_PARTS = (residual_block, gated_unit, layer_norm, attention, recurrent, every_index, every_reduction)
WORKED = {f.__name__: f for f in (*_WORKED, *_LAYERED, *_SOFT)}
OTHERS = {f.__name__: f for f in (*_LOSSES, *_PARTS)}
