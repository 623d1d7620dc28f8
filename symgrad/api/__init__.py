"""The public verbs: compile, differentiate, evaluate."""

from symgrad.api.bundle import Diagonal
from symgrad.api.compile import compile as compile
from symgrad.api.differentiate import grad, hessian, hvp, jacobian, jvp, vjp
from symgrad.api.evaluate import evaluate
from symgrad.api.function import CompiledFunction
from symgrad.api.gradcheck import check_grads, gradcheck
from symgrad.api.latex import latex
from symgrad.view.formula import check_formula

# All but compile, which ``from symgrad import *`` leaves to Python.
__all__ = [
    "CompiledFunction",
    "Diagonal",
    "check_formula",
    "check_grads",
    "evaluate",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "latex",
    "vjp",
]
