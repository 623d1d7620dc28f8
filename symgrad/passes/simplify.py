"""Value-preserving simplification: the rule list, applied until nothing fires.

Every rule keeps the value in IEEE arithmetic (sign of zero and payload of NaN apart), or saves a rounding;
no rule needs to know where the graph came from. The tables are the documentation: ``RULES``.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node
from symgrad.passes import rules_arithmetic, rules_choice, rules_diagonal, rules_number, rules_shape
from symgrad.passes.rewrite import Rule, Watch, rewrite

RULES: list[Rule] = [
    *rules_shape.RULES,
    *rules_number.RULES,
    *rules_arithmetic.RULES,
    *rules_choice.RULES,
    *rules_diagonal.RULES,
]


def simplify(outputs: Sequence[Node], watch: Watch | None = None) -> dict[Node, Node]:
    """Old -> new for every node reached.

    >>> from symgrad.frontend.declare import symbol
    >>> x = symbol("x").node
    >>> new = simplify([(x * 1.0 + 0.0) ** 2.0])
    >>> new[(x * 1.0 + 0.0) ** 2.0].op.name
    'square'
    """
    return rewrite(outputs, RULES, watch)
