"""Stable forms: applied before differentiation, so that the derivative is that of the stable form.

Every rule is an identity of real functions; the table says what it saves. ``stabilise`` and ``simplify`` run as
one list, since each brings out what the other looks for.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node
from symgrad.passes import (
    rules_exponential,
    rules_increment,
    rules_kink,
    rules_logistic,
    rules_removable,
    rules_trigonometric,
    simplify,
)
from symgrad.passes.rewrite import Rule, Watch, rewrite

RULES: list[Rule] = [
    *rules_logistic.RULES,
    *rules_exponential.RULES,
    *rules_trigonometric.RULES,
    *rules_removable.RULES,
    *rules_increment.RULES,
    *rules_kink.RULES,
]


def stabilise(outputs: Sequence[Node], watch: Watch | None = None) -> dict[Node, Node]:
    """Old -> new for every node reached.

    >>> from symgrad.frontend.declare import symbol
    >>> from symgrad.ir.node import build, constant
    >>> x = symbol("x").node
    >>> f = build("log", constant(1.0) + build("exp", x))
    >>> stabilise([f])[f].op.name
    'softplus'
    """
    return rewrite(outputs, [*simplify.RULES, *RULES], watch)
