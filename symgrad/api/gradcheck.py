"""``sg.gradcheck`` and ``sg.check_grads``: a compiled function or a tensor at a point; they raise on failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.api.check import check
from symgrad.api.compile import compile as compile_function
from symgrad.api.function import CompiledFunction
from symgrad.errors import CallError
from symgrad.runtime.check import CheckReport, Effort
from symgrad.runtime.verdict import Tolerance


def gradcheck(f: Any, inputs: Any, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3) -> bool:
    """Compare the gradients of a compiled function or a tensor with differences; True, or NumericError with the table.

    ``inputs`` is a dict or a sequence. ``eps`` is accepted for compatibility; steps are chosen for each coordinate.

    >>> import symgrad as sg
    >>> x, y = sg.symbols("x y")
    >>> sg.gradcheck(x * sg.sin(y), (2.0, 3.0))
    True
    """
    if not (np.isreal(eps) and eps > 0 and atol >= 0 and rtol >= 0):
        raise CallError("eps must be positive, atol and rtol not negative", ("given", f"{eps!r}, {atol!r}, {rtol!r}"))
    _report(f, inputs, Effort(tolerance=Tolerance(rtol, atol))).raise_if_failed()
    return True


def check_grads(f: Any, inputs: Any) -> CheckReport:
    """The same as strictly as differences allow; the table, or NumericError with it."""
    return _report(f, inputs, Effort()).raise_if_failed()


def _report(f: Any, inputs: Any, effort: Effort) -> CheckReport:
    function = f if isinstance(f, CompiledFunction) else compile_function(f)
    if isinstance(inputs, Mapping):
        return check(function, (), inputs, effort)
    return check(function, inputs if isinstance(inputs, (list, tuple)) else (inputs,), {}, effort)
