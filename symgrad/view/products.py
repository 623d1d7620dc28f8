"""A formula as one would write it by hand: products with one coefficient, nothing above and below the same bar.

In: a node. Out: a node equal to it wherever both are defined, for display only. Only scalar products are touched.
"""

from __future__ import annotations

from symgrad.ir.node import Node
from symgrad.ir.walk import transform
from symgrad.view.monomials import product, split, written
from symgrad.view.tidy import tidy


def gathered(node: Node) -> Node:
    """The node with its products put together, whether that is shorter or not.

    Maths:   2/(2*sqrt(u))*x = x/sqrt(u);  x/y/y = x/y**2;  exp(x)*3 = 3*exp(x);  x/x = 1

    >>> from symgrad.frontend.text import parse
    >>> from symgrad.view.infix import infix
    >>> infix(gathered(parse("2/(2*sqrt(x))*z*y/y").node))
    'z/sqrt(x)'
    """
    plain = tidy([node])[node]
    return transform([plain], _change)[plain]


def _change(node: Node) -> Node:
    if node.shape or node.dtype != "real" or split(node) is None:
        return node
    return written(product(node)) or node
