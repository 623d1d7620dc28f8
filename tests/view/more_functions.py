"""Functions whose printed gradients are read back: losses, layers, statistics, and what is hard to print."""

import numpy as np
import sympy as sp

import symgrad as sg

MORE = {}


def add(f):
    """One of the list, under its own name."""
    MORE[f.__name__] = f
    return f


@add
def cube():
    x = sg.symbol("x")
    return x * x * x, [x]


@add
def like_terms():
    x, y = sg.symbols("x y")
    return x + x + 2 * 3 * x - y + 3 * y + x * y - y * x, [x, y]


@add
def many_numbers():
    x, y = sg.symbols("x y")
    return 2 * 3 * x * 4 * y + x * 1 + 0 * y + x**1 - (-y) - (-(-1 * x)), [x, y]


@add
def polynomial():
    x = sg.symbol("x")
    return 3 * x**4 - 2 * x**3 + x**2 / 2 - 7 * x + 1, [x]


@add
def horner():
    x = sg.symbol("x")
    return ((2 * x + 3) * x - 5) * x + 7, [x]


@add
def continued():
    x, y = sg.symbols("x y")
    return x + 1 / (y + 1 / (x + 1 / (y + 1 / x))), [x, y]


@add
def rosenbrock():
    x, y = sg.symbols("x y")
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, [x, y]


@add
def rosenbrock_n():
    x = sg.parameter("x", (5,))
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), [x]


@add
def double_transpose():
    A, x = sg.parameter("A", (3, 4)), sg.input("x", (4,))
    return ((A.T).T @ x).sum(), [A]


@add
def transposes():
    A, B = sg.parameter("A", (3, 4)), sg.parameter("B", (5, 4))
    return ((A @ B.T).T @ A).sum(), [A, B]


@add
def identity_matrix():
    A, x = sg.parameter("A", (3, 3)), sg.parameter("x", (3,))
    return x @ (A + sg.diag(np.ones(3))) @ x, [A, x]


@add
def hinge():
    X, y, w = sg.input("X", ("n", 4)), sg.input("y", ("n",)), sg.parameter("w", (4,))
    return sg.maximum(0, 1 - y * (X @ w)).mean() + 0.5 * 0.1 * (w @ w), [w]


@add
def huber_scalar():
    y, s, d = sg.symbols("y s delta")
    r = sg.named("r", s - y)
    return sg.where(abs(r) <= d, r**2 / 2, d * (abs(r) - d / 2)), [s, d]


@add
def triplet():
    a, p, n = sg.parameter("a", (4,)), sg.parameter("p", (4,)), sg.parameter("q", (4,))
    return sg.maximum(0, ((a - p) ** 2).sum() - ((a - n) ** 2).sum() + 1.0), [a, p, n]


@add
def triplet_norm():
    a, p, n = sg.parameter("a", (4,)), sg.parameter("p", (4,)), sg.parameter("q", (4,))
    return sg.relu(sg.norm(a - p) - sg.norm(a - n) + 0.2), [a, p, n]


@add
def poisson():
    X, y, w = sg.input("X", ("n", 4)), sg.input("y", ("n",)), sg.parameter("w", (4,))
    eta = sg.named("eta", X @ w)
    return (sg.exp(eta) - y * eta).mean(), [w]


@add
def poisson_rate():
    lam, k = sg.parameter("lambda"), sg.input("k", ("n",))
    return sg.sum(lam - k * sg.log(lam) + sg.lgamma(k + 1)), [lam]


@add
def cross_entropy_take():
    X, t, W = sg.input("X", ("n", 4)), sg.input("t", ("n",), dtype="int"), sg.parameter("W", (4, 3))
    z = sg.named("z", X @ W)
    p = sg.named("p", sg.softmax(z))
    return -sg.log((p * sg.one_hot(t, 3)).sum(axis=1)).mean(), [W]


@add
def cross_entropy_one():
    z, t = sg.parameter("z", (5,)), sg.input("t", (), dtype="int")
    return sg.logsumexp(z) - sg.take(z, t), [z]


@add
def residual_batch():
    X, Y, W1, W2 = (
        sg.input("X", ("n", 4)),
        sg.input("Y", ("n", 4)),
        sg.parameter("W1", (4, 6)),
        sg.parameter("W2", (6, 4)),
    )
    H = sg.named("H", X + sg.relu(X @ W1) @ W2)
    return ((H - Y) ** 2).mean(), [W1, W2]


@add
def swish():
    W, x = sg.parameter("W", (3, 4)), sg.parameter("x", (4,))
    z = sg.named("z", W @ x)
    return (z * sg.sigmoid(z)).sum(), [W, x]


@add
def gate_x():
    W, x, t = sg.parameter("W", (4, 4)), sg.parameter("x", (4,)), sg.input("t", (4,))
    return ((x * sg.sigmoid(W @ x) - t) ** 2).sum(), [W, x]


@add
def gaussian_nll():
    x, mu, s = sg.input("x", ("n",)), sg.parameter("mu"), sg.parameter("sigma")
    return (0.5 * ((x - mu) / s) ** 2 + sg.log(s) + 0.5 * np.log(2 * np.pi)).sum(), [mu, s]


@add
def gaussian_matrix():
    x, mu, P = sg.input("x", (3,)), sg.parameter("mu", (3,)), sg.parameter("Lambda", (3, 3))
    r = sg.named("r", x - mu)
    return 0.5 * r @ P @ r, [mu, P]


@add
def layer_norm_batch():
    X, T, g, b = (
        sg.parameter("X", ("n", 4)),
        sg.input("T", ("n", 4)),
        sg.parameter("gamma", (4,)),
        sg.parameter("beta", (4,)),
    )
    mu = sg.named("mu", X.mean(axis=1, keepdims=True))
    s = sg.named("s", sg.sqrt(((X - mu) ** 2).mean(axis=1, keepdims=True) + 1e-5))
    return ((g * (X - mu) / s + b) * T).sum(), [X, g, b]


@add
def quadratic():
    A, x = sg.parameter("A", (3, 3)), sg.parameter("x", (3,))
    return x @ A @ x, [x, A]


@add
def quadratic_form():
    A, x, b = sg.input("A", (3, 3)), sg.parameter("x", (3,)), sg.input("b", (3,))
    return x.T @ A @ x / 2 - b @ x + 1, [x]


@add
def least_squares():
    A, x, b = sg.input("A", ("m", 3)), sg.parameter("x", (3,)), sg.input("b", ("m",))
    return ((A @ x - b) ** 2).sum(), [x]


@add
def least_squares_norm():
    A, x, b = sg.input("A", ("m", 3)), sg.parameter("x", (3,)), sg.input("b", ("m",))
    return sg.norm(A @ x - b) ** 2, [x]


@add
def ridge():
    A, x, b = sg.input("A", ("m", 3)), sg.parameter("x", (3,)), sg.input("b", ("m",))
    lam = sg.input("lambda")
    return ((A @ x - b) ** 2).sum() / 2 + lam / 2 * (x**2).sum(), [x]


@add
def log_sum_exp():
    x = sg.parameter("x", (4,))
    return sg.log(sg.sum(sg.exp(x))), [x]


@add
def log_sum_exp_rows():
    X = sg.parameter("X", ("n", 4))
    return sg.logsumexp(X, axis=1).sum(), [X]


@add
def attention_head():
    X, Wq, Wk, Wv, Y = (
        sg.input("X", ("n", 6)),
        sg.parameter("Wq", (6, 8)),
        sg.parameter("Wk", (6, 8)),
        sg.parameter("Wv", (6, 8)),
        sg.input("Y", ("n", 8)),
    )
    Q, K, V = sg.named("Q", X @ Wq), sg.named("K", X @ Wk), sg.named("V", X @ Wv)
    A = sg.named("A", sg.softmax(Q @ K.T / np.sqrt(8)))
    return ((A @ V - Y) ** 2).sum() / 2, [Wq, Wk, Wv]


@add
def attention_plain():
    Q, K, V = sg.parameter("Q", ("n", 4)), sg.parameter("K", ("m", 4)), sg.input("V", ("m", 4))
    return (sg.softmax(Q @ K.T / 2) @ V).sum(), [Q, K]


@add
def rnn_batch():
    X1, X2, W, U, b, Y = (
        sg.input("X1", ("n", 3)),
        sg.input("X2", ("n", 3)),
        sg.parameter("W", (3, 4)),
        sg.parameter("U", (4, 4)),
        sg.parameter("b", (4,)),
        sg.input("Y", ("n", 4)),
    )
    h1 = sg.named("h1", sg.tanh(X1 @ W + b))
    h2 = sg.named("h2", sg.tanh(X2 @ W + h1 @ U + b))
    return ((h2 - Y) ** 2).mean(), [W, U, b]


@add
def cosine():
    a, b = sg.parameter("a", (4,)), sg.parameter("b", (4,))
    return a @ b / (sg.norm(a) * sg.norm(b)), [a, b]


@add
def trace_product():
    A, B = sg.parameter("A", (3, 4)), sg.parameter("B", (4, 3))
    return sg.trace(A @ B), [A, B]


@add
def frobenius():
    A, B = sg.parameter("A", (3, 4)), sg.input("B", (3, 4))
    return sg.trace((A - B).T @ (A - B)), [A]


@add
def bilinear_einsum():
    x, A, y = sg.parameter("x", (3,)), sg.parameter("A", (3, 4)), sg.parameter("y", (4,))
    return sg.einsum("i,ij,j->", x, A, y), [x, A, y]


@add
def stack_einsum():
    A, B = sg.parameter("A", (5, 3, 4)), sg.parameter("B", (5, 4, 2))
    return (sg.einsum("bij,bjk->bik", A, B) ** 2).sum(), [A, B]


@add
def running():
    x, t = sg.parameter("x", (4,)), sg.input("t", (4,))
    return ((sg.cumsum(x) - t) ** 2).sum(), [x]


@add
def variance():
    x = sg.parameter("x", (4,))
    return sg.var(x), [x]


@add
def deviation():
    x = sg.parameter("x", ("n",))
    return sg.std(x), [x]


@add
def norms():
    x = sg.parameter("x", (4,))
    return sg.norm(x) + abs(x).sum() + (x @ x), [x]


@add
def standardised():
    x, t = sg.parameter("x", (4,)), sg.input("t", (4,))
    return (((x - sg.mean(x)) / sg.std(x)) * t).sum(), [x]


@add
def piecewise():
    x = sp.Symbol("x", real=True)
    return sg.from_sympy(sp.Piecewise((x**2, x > 1), (sp.sin(x), x < -1), (x, True))), [sg.from_sympy(x)]


@add
def max_of_three():
    x, y, z = sg.symbols("x y z")
    return sg.maximum(sg.maximum(x, y), z) ** 2, [x, y, z]


@add
def max_vector():
    A, x = sg.parameter("A", (3, 4)), sg.parameter("x", (4,))
    return sg.max(A @ x), [A, x]


@add
def two_outputs():
    x, y = sg.symbols("x y")
    return {"r": sg.sqrt(x**2 + y**2), "phi": sg.arctan2(y, x)}, [x, y]


@add
def list_outputs():
    x, y = sg.symbols("x y")
    s = x * y
    return [s + x, sg.sin(s), s**2], [x, y]


@add
def array_outputs():
    W, x = sg.parameter("W", (3, 4)), sg.parameter("x", (4,))
    return [W @ x, sg.tanh(W @ x)], [W, x]


@add
def strange_names():
    a, b, c, d, e = (sg.symbol(n) for n in ("a_b", "100%", "{q}", "back\\slash", "été"))
    return a * b + c / d - e**2, [a, b, c, d, e]


@add
def greek_names():
    a, b, c, d = (sg.symbol(n) for n in ("alpha", "β", "Δx", "x_max"))
    return a * b**2 + c * d**2, [a, b, c, d]


@add
def hessian_scalar():
    x, y = sg.symbols("x y")
    f = x**2 * y + sg.exp(x * y)
    return sg.hessian(f, x), [x]


@add
def hessian_list():
    x, y = sg.symbols("x y")
    f = x**2 * y + y**3
    H = sg.hessian(f, [x, y])
    return [h for row in H for h in row], []


@add
def hessian_quadratic():
    A, x = sg.input("A", (3, 3)), sg.parameter("x", (3,))
    return sg.hessian(x @ A @ x / 2, x), []


@add
def hessian_lse():
    x = sg.parameter("x", (4,))
    return sg.hessian(sg.logsumexp(x), x), []


@add
def hessian_softmax_ce():
    z, p = sg.parameter("z", (4,)), sg.input("y", (4,))
    return sg.hessian(-(p * sg.log_softmax(z)).sum(), z), []


@add
def jacobian_softmax():
    z = sg.parameter("z", (4,))
    return sg.jacobian(sg.softmax(z), z), []


@add
def jacobian_linear():
    A, x, b = sg.parameter("A", (3, 4)), sg.parameter("x", (4,)), sg.parameter("b", (3,))
    return sg.jacobian(A @ x + b, x), []


@add
def jacobian_layer():
    A, x = sg.parameter("A", (3, 4)), sg.parameter("x", (4,))
    return sg.jacobian(sg.tanh(A @ x), x), []


@add
def jacobian_diag():
    x = sg.parameter("x", (4,))
    return sg.jacobian(sg.sigmoid(x), x), []


@add
def jacobian_relu():
    x = sg.parameter("x", (6,))
    return sg.jacobian(sg.relu(x), x), []


@add
def hvp_rosen():
    x, y, u, v = sg.symbols("x y u v")
    a, b = sg.hvp((1 - x) ** 2 + 100 * (y - x**2) ** 2, [x, y], [u, v])
    return [a, b], []


@add
def hvp_logistic():
    X, w, v = sg.input("X", ("n", 3)), sg.parameter("w", (3,)), sg.input("v", (3,))
    return sg.hvp(sg.softplus(X @ w).sum(), w, v), []


@add
def vjp_named():
    A, x, g = sg.parameter("A", (3, 4)), sg.parameter("x", (4,)), sg.input("g", (3,))
    return sg.vjp(sg.tanh(A @ x), x, sg.named("gbar", g, latex=r"\bar{g}")), []


@add
def jvp_named():
    A, x, g = sg.parameter("A", (3, 4)), sg.parameter("x", (4,)), sg.input("xdot", (4,))
    return sg.jvp(sg.tanh(A @ x), x, g), []


@add
def gradient_of_gradient():
    x = sg.symbol("x")
    return sg.grad(sg.grad(sg.sin(x) * sg.exp(-x), x), x), [x]


@add
def gradient_norm():
    A, x = sg.input("A", (3, 3)), sg.parameter("x", (3,))
    g = sg.grad(x @ A @ x / 2, x)
    return (g**2).sum(), [x]


@add
def kinetic():
    m, v, k, q = sg.symbols("m v k q")
    return m * v**2 / 2 + k * q**2 / 2, [v, q]


@add
def ideal():
    x, y = sg.symbols("x y")
    return x / y + y / x - (x - y) / (x + y), [x, y]


@add
def powers():
    x, y = sg.symbols("x y")
    return x**y + y**x + x**-2 + x**0.5 + 2**x, [x, y]


@add
def nested_functions():
    x = sg.symbol("x")
    return sg.log(1 + sg.exp(sg.sin(x) ** 2)), [x]


@add
def logistic_map():
    r, x = sg.symbols("r x")
    return r * x * (1 - x), [r, x]


@add
def maxout():
    X, W, V = sg.input("X", ("n", 3)), sg.parameter("W", (3, 2)), sg.parameter("V", (3, 2))
    return sg.maximum(X @ W, X @ V).sum(), [W, V]


@add
def elu_unit():
    W, x = sg.parameter("W", (3, 4)), sg.input("x", (4,))
    return (sg.elu(W @ x) ** 2).sum(), [W]


@add
def gelu_unit():
    W, x = sg.parameter("W", (3, 4)), sg.input("x", (4,))
    return sg.gelu(W @ x).sum(), [W]


@add
def prelu_scalar():
    x, a = sg.symbols("x alpha")
    return sg.prelu(x, a), [x, a]


@add
def convolution():
    x, w, y = sg.input("x", (6,)), sg.parameter("w", (3,)), sg.input("y", (4,))
    return ((sum(w[i] * x[i : i + 4] for i in range(3)) - y) ** 2).sum(), [w]


@add
def power_iteration():
    A, x = sg.input("A", (3, 3)), sg.parameter("x", (3,))
    y = sg.named("y", A @ x)
    return (x @ y) / (x @ x), [x]


@add
def kl():
    p, q = sg.parameter("p", (3,)), sg.parameter("q", (3,))
    return (p * sg.log(p / q)).sum(), [p, q]


@add
def entropy():
    p = sg.parameter("p", (3,))
    return -(p * sg.log(p)).sum(), [p]


@add
def columns_layer():
    W, b, A = sg.parameter("W", (4, 3)), sg.parameter("b", (4, 1)), sg.input("A", (3, "m"))
    Y = sg.input("Y", (4, "m"))
    Z = sg.named("Z", W @ A + b)
    return ((sg.sigmoid(Z) - Y) ** 2).sum() / 2, [W, b]


@add
def normal_equations():
    A, x, b = sg.input("A", ("m", 3)), sg.parameter("x", (3,)), sg.input("b", ("m",))
    return sg.grad(((A @ x - b) ** 2).sum() / 2, x), []


@add
def sums_of_rows():
    X = sg.parameter("X", ("n", 4))
    return (X.sum(axis=1) ** 2).sum(), [X]


@add
def sums_of_columns():
    X = sg.parameter("X", ("n", 4))
    return (X.sum(axis=0) ** 2).sum(), [X]


@add
def minus_a_column():
    X, r = sg.parameter("X", (3, 3)), sg.parameter("r", (3,))
    return ((X - r.reshape((3, 1))) ** 3).sum(), [X, r]


@add
def minus_sums_of_rows():
    X = sg.parameter("X", (3, 3))
    return ((X - X.sum(axis=1)) ** 3).sum(), [X]


@add
def rows_to_one():
    X, b = sg.parameter("X", ("n", 4)), sg.parameter("b", (4,))
    return (X / sg.sqrt((X**2).sum(axis=1, keepdims=True)) * b).sum(), [X, b]


@add
def quotient_of_exponentials():
    X, b = sg.parameter("X", ("n", 4)), sg.parameter("b", (4,))
    return (sg.exp(X) / sg.exp(X).sum(axis=1, keepdims=True) * b).sum(), [X]


@add
def outer_sum():
    u, v = sg.parameter("u", (3,)), sg.parameter("v", (3,))
    return sg.exp(u.reshape((3, 1)) + 2 * v).sum(), [u, v]


@add
def distances():
    P, Q = sg.parameter("P", ("n", 2)), sg.parameter("Q", ("n", 2))
    D = (P**2).sum(axis=1, keepdims=True) - 2 * P @ Q.T + (Q**2).sum(axis=1)
    return sg.exp(-D).sum(), [P, Q]


@add
def row_times_matrix():
    u, W, b = sg.parameter("u", (3,)), sg.parameter("W", (3, 4)), sg.parameter("b", (2, 4))
    return ((u.reshape((1, 3)) @ W + b) ** 2).sum(), [u, W, b]


@add
def column_through_matrix():
    u, W, B = sg.parameter("u", (4,)), sg.parameter("W", (3, 4)), sg.parameter("B", (3, 2))
    return ((W @ u.reshape((4, 1)) + B) ** 2).sum(), [u, W, B]


@add
def kept_slices():
    X = sg.parameter("X", (3, 3))
    return ((X - X[:, 0:1]) ** 3 + X[1:2] * X).sum(), [X]


@add
def differences_of_neighbours():
    v = sg.parameter("v", (4,))
    return ((v[1:] - v[:-1]) ** 2).sum(), [v]


@add
def product_of_two():
    v = sg.parameter("v", (3,))
    return v[0] * v[1], [v]


@add
def held_still():
    x = sg.symbol("x")
    return sg.stop_gradient(x) * x, [x]


@add
def form_of_v():
    v, A = sg.parameter("v", (3,)), sg.parameter("A", (3, 3))
    return v @ A @ v, [v, A]


@add
def leaky():
    x, y = sg.symbols("x y")
    return sg.leaky_relu(x - 0.5) * sg.prelu(y - 0.5, 0.3), [x, y]


@add
def elu_of_alpha():
    x, a = sg.symbols("x alpha")
    return sg.elu(x - 0.5, a) + sg.selu(x * a - 1), [x, a]


@add
def gaussian_log_density():
    x, mu, sigma = sg.symbols("x mu sigma")
    return -sg.log(sigma) - (x - mu) ** 2 / (2 * sigma**2), [x, mu, sigma]


@add
def logarithm_of_quotient():
    x, y = sg.symbols("x y")
    return sg.log(x / y), [x, y]


@add
def squared_norm_of_v():
    v = sg.parameter("v", (3,))
    return sg.norm(v) ** 2, [v]


@add
def squared_quotient():
    x, y = sg.symbols("x y")
    return (x / y) ** 2, [x, y]


@add
def power_of_power():
    x, y = sg.symbols("x y")
    return (x**2) ** 3 + x ** (y + 1), [x, y]


@add
def quotient_of_quotient():
    x, y, w = sg.symbols("x y w")
    return x / (y / w), [x, y, w]


@add
def trace_of_square():
    A = sg.parameter("A", (3, 3))
    return sg.trace(A @ A), [A]


@add
def diagonal_product():
    v, A = sg.parameter("v", (3,)), sg.parameter("A", (3, 3))
    return (sg.diag(v) @ A).sum() + (A @ sg.diag(v)).sum(), [v, A]


@add
def product_of_all():
    v = sg.parameter("v", (3,))
    return sg.prod(v), [v]


@add
def one_column_of_log_softmax():
    Z = sg.parameter("Z", ("n", 3))
    return -sg.mean(sg.take(sg.log_softmax(Z), 0, axis=1)), [Z]


@add
def one_row_of_log_softmax():
    Z = sg.parameter("Z", (3, "m"))
    return sg.mean(sg.take(sg.log_softmax(Z, axis=0), 2, axis=0)), [Z]


@add
def largest_of_rows():
    Z = sg.parameter("Z", ("n", 3))
    return (Z.max(axis=1) ** 2).sum(), [Z]


@add
def stepping():
    x, y = sg.symbols("x y")
    return sg.step(x - 0.5) * y + sg.floor(3 * x) * x + sg.clip(y, 0.2, 0.6), [x, y]


@add
def under_conditions():
    x, y = sg.symbols("x y")
    return sg.where((x > 0.3) & (y > 0.3), x * y, x - y), [x, y]


@add
def smooth_units():
    x = sg.symbol("x")
    return sg.silu(x) + sg.mish(x) + sg.gelu(x) + sg.softplus(x), [x]
