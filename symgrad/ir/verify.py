"""Whether what a pass made is a graph, and of the same outputs.

In: outputs before and after a pass. Out: nothing, or an ``InternalError`` that names the node. Every node's type is the
one that its op infers, outputs keep shape and dtype, and no variable comes from nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import InternalError
from symgrad.ir.node import Node
from symgrad.ir.show import described
from symgrad.ir.walk import topological, variables


def verify(name: str, before: Sequence[Node], after: Sequence[Node]) -> None:
    """Refuse what the pass called ``name`` made, if it is not as it must be.

    Raises:  InternalError for a type that is not inferred, another type of an output, or a new variable

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = (t.node for t in symbols("x y"))
    >>> verify("simplify", [x + y], [y + x])
    >>> verify("simplify", [x], [y])
    Traceback (most recent call last):
    symgrad.errors.InternalError: simplify: a variable comes from nowhere...
    """
    known = set(variables(before))
    for n in topological(after):
        if n.op.name == "variable" and n not in known:
            raise InternalError(f"{name}: a variable comes from nowhere", ("variable", described(n)))
        if n.args and n.op.infer(*(a.type for a in n.args), **n.params) != n.type:
            raise InternalError(f"{name}: a node has another type than its op infers", ("node", described(n)))
    for old, new in zip(before, after, strict=True):
        if old.type != new.type:
            facts = ("before", described(old)), ("after", described(new))
            raise InternalError(f"{name}: an output changes its type", *facts)
