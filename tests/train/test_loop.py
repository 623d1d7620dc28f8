"""The compiled loop: the same numbers as steps one by one, however it is cut, compiled or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from tests.train.plain import Course, by_hand, loop_of, start, two_layers

RNG = np.random.default_rng(0)
X, Y = RNG.random((7, 2)), RNG.random((7, 1))
LOSS, DATA, PARAMETERS = two_layers()
LOOPS = {shuffled: loop_of(LOSS, DATA, PARAMETERS, shuffled) for shuffled in (False, True)}


def trained(loop, course, cuts, data=(X, Y), rate=0.1, state=None):
    """State and logs after running to each of the steps in ``cuts``."""
    state = start(PARAMETERS) if state is None else state
    clock, logs = loop.clock(course.rows), []
    for last in cuts:
        first = clock.step
        which = loop.run(course, clock, (data, 0), state, (last, rate))
        assert which == -1
        done = clock.step // course.per_epoch - first // course.per_epoch
        logs += list(clock.logs[:done].copy())
    return state, logs


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_steps_are_those_by_hand(shuffled, size):
    course = Course(7, size, 5 if shuffled else -1)
    steps = 2 * course.per_epoch
    state, logs = trained(LOOPS[shuffled], course, [steps])
    weights, losses = by_hand(sg.compile(LOSS), (X, Y), start(PARAMETERS), course, steps, 0.1)
    for ours, theirs in zip(state, weights, strict=False):
        np.testing.assert_allclose(ours.reshape(np.shape(theirs)), theirs, rtol=1e-13, atol=1e-15)
    assert state[-1][0] == steps  # the shared slot counts the updates
    for epoch, (rows, total) in enumerate(logs):
        part = losses[epoch * course.per_epoch : (epoch + 1) * course.per_epoch]
        assert rows == sum(n for n, _ in part) == 7
        assert total == pytest.approx(sum(n * loss for n, loss in part), rel=1e-13)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.booleans(), st.integers(1, 7))
def test_any_cut_gives_the_same_bits(lengths, shuffled, size):
    course = Course(7, size, 3)
    cuts = np.cumsum(lengths).tolist()
    whole, logs = trained(LOOPS[shuffled], course, cuts[-1:])
    parts, again = trained(LOOPS[shuffled], course, cuts)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))
    assert np.array_equal(logs, again)


@pytest.mark.parametrize("shuffled", [False, True])
def test_plain_python_gives_the_same_bits(shuffled):
    loop, course = LOOPS[shuffled], Course(7, 3, 5)
    state, _ = trained(loop, course, [7])
    plain, clock = start(PARAMETERS), loop.clock(7)
    order = [clock.order] if shuffled else []
    logs = np.zeros((3, 2))
    numbers = (0, 7, 3, 5, 0, 7, 0)
    which = loop.loaded.python["train"](X, Y, *plain, 0.1, *order, clock.totals, logs, clock.taken, *numbers)
    assert which == -1
    assert clock.step == 7
    assert all(np.array_equal(a, b) for a, b in zip(state, plain, strict=True))


def test_a_bad_step_is_not_taken():
    course, bad = Course(7, 1, -1), X.copy()
    bad[4, 1] = np.nan
    loop, state = LOOPS[False], start(PARAMETERS)
    before, _ = trained(loop, course, [4])
    clock = loop.clock(7)
    which = loop.run(course, clock, ((bad, Y), 0), state, (7, 0.1))
    assert which == 0  # the loss
    assert clock.step == 4
    assert all(np.array_equal(a, b) for a, b in zip(state, before, strict=True))


def test_the_first_bad_gradient_is_named():
    w, v = sg.parameter("w", (2,)), sg.parameter("v", (2,))
    x = sg.input("x", ("n", 2))
    loss = sg.sum(x * w) + sg.sum(sg.sqrt(v) * x)  # the slope of sqrt at 0 is infinite, its value is not
    loop = loop_of(loss, [x], [w, v])
    state = [np.ones(2), np.array([1.0, 0.0]), np.zeros(2), np.zeros(2), np.zeros(1)]
    clock = loop.clock(3)
    assert loop.run(Course(3, 3), clock, ((np.ones((3, 2)),), 0), state, (5, 0.1)) == 2  # loss, w, v
    assert clock.step == 0
    assert state[0].tolist() == [1.0, 1.0]


def test_state_is_updated_where_it_lies():
    text = LOOPS[False].source.text
    body = text[text.index("def train(") :]
    assert "W1_v[i, j] = " in body or "W1_v_flat[i] = " in body
    assert "np.empty" not in body[body.index("for step in") :]  # nothing is allocated per step
    assert "np.zeros" not in body[body.index("for step in") :]


def test_memory_does_not_grow():
    loop, course, state = LOOPS[True], Course(7, 3, 1), start(PARAMETERS)
    clock = loop.clock(7)
    import resource

    loop.run(course, clock, ((X, Y), 0), state, (1000, 1e-3))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loop.run(course, clock, ((X, Y), 0), state, (101_000, 1e-3))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024 + 34_000 * 2 * 8 // 1024
