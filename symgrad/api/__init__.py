"""The public verbs: compile, differentiate, evaluate."""

from symgrad.api.bundle import Diagonal
from symgrad.api.compile import compile
from symgrad.api.differentiate import grad, hessian, hvp, jacobian, jvp, vjp
from symgrad.api.evaluate import evaluate
from symgrad.api.function import CompiledFunction

__all__ = ["CompiledFunction", "Diagonal", "compile", "evaluate", "grad", "hessian", "hvp", "jacobian", "jvp", "vjp"]
