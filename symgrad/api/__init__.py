"""The public verbs: compile, differentiate, evaluate."""

from symgrad.api.bundle import Diagonal
from symgrad.api.check import check_grads, gradcheck
from symgrad.api.compile import compile
from symgrad.api.differentiate import grad, hessian, hvp, jacobian, jvp, vjp
from symgrad.api.evaluate import evaluate
from symgrad.api.function import CompiledFunction
from symgrad.view.formula import check_formula

__all__ = [
    "CompiledFunction",
    "Diagonal",
    "check_formula",
    "check_grads",
    "compile",
    "evaluate",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "vjp",
]
