"""``sg.gradcheck`` and ``sg.check_grads``: a compiled function or a tensor at a point; they raise unless confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgrad.api.check import check
from symgrad.api.compile import compile as compile_function
from symgrad.api.function import CompiledFunction
from symgrad.errors import CallError
from symgrad.runtime.check import CheckReport, Effort
from symgrad.runtime.verdict import Tolerance


def gradcheck(f: Any, inputs: Any, eps: float | None = None, atol: float = 1e-5, rtol: float = 1e-3) -> bool:
    """Compare the gradients of a compiled function or a tensor with differences; True where all are confirmed.

    ``inputs`` is a dict or a sequence. A difference may be off by atol + rtol*|gradient|. Its steps are searched for
    each coordinate, with an error estimate; a given ``eps`` is the one step, relative to the element (to 1 at 0), of a
    plain central difference instead, whose own error counts against the gradient. Where that step leaves the domain or
    crosses a kink, steps are searched all the same. A point on a kink is confirmed.

    Raises:  NumericError with the table where a gradient is wrong or undecided (the function has no value, or the
             differences are too coarse)

    >>> import symgrad as sg
    >>> x, y = sg.symbols("x y")
    >>> sg.gradcheck(x * sg.sin(y), (2.0, 3.0))
    True
    """
    if not ((eps is None or 1e-14 <= eps < 1.0) and atol >= 0 and rtol >= 0):
        raise CallError(
            "eps must lie between 1e-14 and 1, atol and rtol not be negative",
            ("given", f"eps={eps!r}, atol={atol!r}, rtol={rtol!r}"),
        )
    _report(f, inputs, Effort(tolerance=Tolerance(rtol, atol, eps))).raise_unless_ok()
    return True


def check_grads(f: Any, inputs: Any) -> CheckReport:
    """The same as strictly as differences allow; the table, or NumericError with it (wrong or undecided)."""
    return _report(f, inputs, Effort()).raise_unless_ok()


def _report(f: Any, inputs: Any, effort: Effort) -> CheckReport:
    function = f if isinstance(f, CompiledFunction) else compile_function(f)
    if isinstance(inputs, Mapping):
        return check(function, (), inputs, effort)
    return check(function, inputs if isinstance(inputs, (list, tuple)) else (inputs,), {}, effort)
