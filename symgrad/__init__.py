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

from symgrad import api as _api
from symgrad import errors as _errors
from symgrad.api import *  # noqa: F403
from symgrad.api import compile as compile
from symgrad.errors import *  # noqa: F403
from symgrad.frontend import arrays as _arrays
from symgrad.frontend import declare as _declare
from symgrad.frontend import functions as _functions
from symgrad.frontend import reductions as _reductions
from symgrad.frontend import windows as _windows
from symgrad.frontend.public import *  # noqa: F403
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
__all__ += _reductions.__all__
__all__ += _windows.__all__
__all__ += _activations.__all__
