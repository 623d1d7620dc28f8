"""Every public name of declarations and functions, in one list: what ``symgrad`` offers besides its verbs."""

from symgrad.frontend import arrays as _arrays
from symgrad.frontend import declare as _declare
from symgrad.frontend import freeze as _freeze
from symgrad.frontend import indexing as _indexing
from symgrad.frontend import reductions as _reductions
from symgrad.frontend.functions import TABLE as _FUNCTIONS
from symgrad.frontend.sympy import elementwise, from_sympy, to_sympy
from symgrad.frontend.tensor import Tensor
from symgrad.frontend.text import parse

_ARRAYS = (
    "matmul dot outer einsum transpose reshape concatenate stack expand_dims squeeze broadcast_to diag trace tril triu "
    "one_hot take arange"
).split()
_DECLARE = "symbols symbol input parameter constant named".split()

globals().update(_FUNCTIONS)
globals().update({name: getattr(_arrays, name) for name in _ARRAYS})
globals().update({name: getattr(_declare, name) for name in _DECLARE})
globals().update({name: getattr(_reductions, name) for name in _reductions.__all__})
assert _indexing.take_index and _freeze.store  # they install Tensor's indexing and pickling

__all__ = ["Tensor", "elementwise", "from_sympy", "parse", "to_sympy", *_FUNCTIONS, *_ARRAYS, *_DECLARE, *_reductions.__all__]
