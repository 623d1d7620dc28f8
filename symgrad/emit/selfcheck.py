"""The text with which a standalone file checks itself: pieces that ``standalone`` puts together.

They read ``REAL`` (the float type), ``HIDDEN`` and ``PACKED`` (a list a function), ``READ`` (inputs that backward
takes), ``WRT``, ``TOLERANCE`` and ``samples``. The bound on a slope's error adds what rounding can do to a
difference, and the distance of the two steps, of which a kink within a step makes a large one.
"""

from __future__ import annotations

LEAVES = '''
def leaves(value):
    """The arrays and numbers in nested tuples, in order; reals in the precision of the functions."""
    found, stack = [], [value]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(reversed(item))
        else:
            array = np.asarray(item)
            found.append(array.astype(REAL) if array.dtype.kind == "f" else array)
    return found


def arguments(name, inputs):
    """What a function takes: the inputs (many numbers as one vector), then its constants."""
    packed = PACKED.get(name, [])
    first = [np.array([inputs[n] for n in packed], REAL)] if packed else []
    return [*first, *(a for n, a in inputs.items() if n not in packed), *HIDDEN[name]]
'''

SLOPES = '''
def check_slopes(inputs, weights, gradients, run):
    """Slopes along random directions: by the gradients, and by central differences of two steps, extrapolated."""

    def total(name, direction, h):
        moved = {**inputs, name: (inputs[name] + h * direction).astype(inputs[name].dtype)}
        return sum(float(np.sum(w * y, dtype=np.float64)) for w, y in zip(weights, run(moved)))

    rng = np.random.default_rng(1)
    h = 1e-4 if REAL is np.float64 else 1.0 / 128.0
    size = sum(float(np.sum(np.abs(w * y))) for w, y in zip(weights, run(inputs)))
    noise = 64.0 * float(np.finfo(REAL).eps) * size / h
    good = True
    for name, gradient in zip(WRT, gradients):
        for _ in range(3 if name in inputs else 0):
            direction = rng.standard_normal(gradient.shape)
            coarse = (total(name, direction, h) - total(name, direction, -h)) / (2.0 * h)
            fine = (total(name, direction, h / 2.0) - total(name, direction, -h / 2.0)) / h
            slope, expected = float(np.sum(gradient * direction)), (4.0 * fine - coarse) / 3.0
            scale = max(1.0, abs(slope))
            error = abs(slope - expected)
            right = error <= TOLERANCE * scale + noise + 2.0 * min(abs(fine - coarse), 1e-3 * scale)
            good = good and right
            numbers = f"{slope:>16.9g} {expected:>16.9g} {error:>9.1e}"
            print(f"{name:<16} {gradient.shape!s:<14} {numbers}  {'ok' if right else 'WRONG'}")
    return good
'''

HALVES = '''
def pulled(inputs, residuals, cotangents):
    """The gradients by the backward half."""
    read = [inputs[name] for name in READ]
    return leaves(backward(*read, *(a[()] for a in [*leaves(residuals), *cotangents]), *HIDDEN["backward"]))


def check_halves(inputs):
    """The gradients of the two halves, for random cotangents."""
    outputs, residuals = forward(*arguments("forward", inputs))
    rng, outputs = np.random.default_rng(2), leaves(outputs)
    weights = [np.asarray(rng.uniform(0.5, 1.5, y.shape) * (y.dtype.kind == "f"), y.dtype) for y in outputs]
    gradients = pulled(inputs, residuals, weights)
    return check_slopes(inputs, weights, gradients, lambda x: leaves(forward(*arguments("forward", x))[0]))
'''

AGREEMENT = '''
def check_agreement(inputs):
    """forward followed by backward gives what value_and_grad gives."""
    outputs, residuals = forward(*arguments("forward", inputs))
    (y,) = leaves(outputs)
    halves = [y, *pulled(inputs, residuals, [np.ones_like(y)])]
    joint = leaves(value_and_grad(*arguments("value_and_grad", inputs)))
    near = 4096.0 * float(np.finfo(REAL).eps)
    scales = [max(1.0, float(np.max(np.abs(b), initial=0.0))) for b in joint]
    good = all(np.allclose(a, b, near, near * scale) for a, b, scale in zip(halves, joint, scales))
    print("forward and backward agree with value_and_grad:", "ok" if good else "WRONG")
    return good
'''

JOINT = '''
def check_joint(inputs):
    """The gradients of value_and_grad."""

    def run(x):
        return leaves(value_and_grad(*arguments("value_and_grad", x)))

    _, *gradients = run(inputs)
    if len(gradients) < len(WRT):
        gradients = [np.asarray(g) for g in gradients[0]]
    return check_slopes(inputs, [np.ones((), REAL)], gradients, run)
'''

VALUES = '''
def check_values(inputs):
    """The function runs on the sample."""
    for y in leaves(value(*arguments("value", inputs))):
        print(f"{'value':<16} {y.shape!s:<14} {y.dtype}")
    return True
'''
