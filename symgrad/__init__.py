"""symgrad: a symbolic differentiation and code generation compiler.

    declare -> Graph -> stabilise/simplify -> differentiate -> simplify -> eliminate -> partition
    frontend    ir            passes             passes          passes      passes       passes
                                                                                |  forward, backward, residuals
     train  <-  check  <-  load/JIT  <-  emit (source, LaTeX)  <-  buffers  <-  schedule  <-  fuse
     train     runtime     runtime            emit                  lower        lower        lower

Above the border lives a small DAG of interned tensor nodes (``ir.node``), below it scalar bodies in loops
(``ir.program``). A room may import those after it in this list, never those before it:
__main__, sklearn > train > api > view > pipeline > runtime > emit > lower > (passes | nn) > frontend > ops > ir > errors.
``pipeline.py`` is the first line of the picture as code.
"""

from symgrad.api import *  # noqa: F403
from symgrad.api import __all__ as _verbs
from symgrad.errors import *  # noqa: F403
from symgrad.errors import __all__ as _errors
from symgrad.frontend.public import *  # noqa: F403
from symgrad.frontend.public import __all__ as _functions
from symgrad.nn.activations import ACTIVATIONS as _ACTIVATIONS

__version__ = "0.1.0"
globals().update(_ACTIVATIONS)

# ``from symgrad import *`` leaves Python's builtins alone; they are attributes of the package all the same.
_BUILTINS = {"abs", "all", "any", "compile", "input", "max", "min", "round", "sum"}
__all__ = sorted({*_verbs, *_errors, *_functions, *_ACTIVATIONS} - _BUILTINS)
