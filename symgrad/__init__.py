"""symgrad: a symbolic differentiation and code generation compiler.

    declare -> Graph -> stabilise/simplify -> differentiate -> simplify -> eliminate -> partition
    frontend    ir            passes             passes          passes      passes       passes
                                                                                |  forward, backward, residuals
     train  <-  check  <-  load/JIT  <-  emit (source, LaTeX)  <-  buffers  <-  schedule  <-  fuse
     train     runtime     runtime            emit                  lower        lower        lower

Above the border lives a small DAG of interned tensor nodes (``ir.node``), below it scalar bodies in loops
(``ir.program``). A room may import those after it in this list, never those before it:
__main__, sklearn > train > api > view > pipeline > runtime > emit > lower > (passes | nn) > frontend > ops > ir
> errors.
``pipeline.py`` is the first line of the picture as code.
"""

from importlib import import_module as _import_module

from symgrad import api as _api
from symgrad import errors as _errors
from symgrad.api import *  # noqa: F403
from symgrad.api import compile as compile
from symgrad.errors import *  # noqa: F403
from symgrad.frontend import arrays as _arrays
from symgrad.frontend import declare as _declare
from symgrad.frontend import functions as _functions
from symgrad.frontend import products as _products
from symgrad.frontend import reductions as _reductions
from symgrad.frontend import windows as _windows
from symgrad.frontend.public import *  # noqa: F403
from symgrad.nn import HIGHER as _HIGHER
from symgrad.nn import activations as _activations
from symgrad.nn.activations import *  # noqa: F403

__version__ = "0.1.0"

# ``from symgrad import *`` leaves Python's builtins alone: abs, all, any, compile, input, max, min, round and sum
# are attributes of the package all the same.
__all__ = ["Tensor", "elementwise", "from_sympy", "parse", "to_sympy"]  # noqa: F405
__all__ += _api.__all__
__all__ += _errors.__all__
__all__ += _arrays.__all__
__all__ += _declare.__all__
__all__ += _functions.__all__
__all__ += _products.__all__
__all__ += _reductions.__all__
__all__ += _windows.__all__
__all__ += _activations.__all__

# What training needs is imported when it is first asked for: importing symgrad stays quick.
_LATER = {
    "Model": "symgrad.train.model:Model",
    "callbacks": "symgrad.train.watching.callbacks",
    "data": "symgrad.train.data",
    "initializers": "symgrad.nn.initializers",
    "losses": "symgrad.nn.losses",
    "metrics": "symgrad.train.rules.metrics",
    "nn": "symgrad.nn",
    "optimizers": "symgrad.train.rules.optimizers",
    "regularizers": "symgrad.nn.regularizers",
    "schedules": "symgrad.train.rules.schedules",
    "sklearn": "symgrad.sklearn",
}


def _later(place: str) -> object:
    module, _, name = place.partition(":")
    found = _import_module(module)
    return getattr(found, name) if name else found


_HIGHER["Sequential"] = lambda: _later("symgrad.train.model:Sequential")
_HIGHER["load"] = lambda: _later("symgrad.train.load:load")


def __getattr__(name: str) -> object:
    """Models, optimizers and their tables."""
    if name not in _LATER:
        raise AttributeError(f"module 'symgrad' has no attribute {name!r}")
    return _later(_LATER[name])


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])
