"""Rules and the one loop that applies them until none fires.

In: outputs and an ordered table of rules. Out: old -> new for every node reached, where no rule fires on
anything below a new node. Each node is brought to its normal form once, arguments first, with a stack; a
rule looks at one node whose arguments are already normal, so the loop is linear in nodes and firings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symgrad.errors import InternalError
from symgrad.ir.node import Node, Op, constant, rebuild
from symgrad.ir.show import described
from symgrad.ir.walk import topological
from symgrad.ops.shape import broadcast

Watch = Callable[["Rule", Node, Node], None]
_MOST_STEPS = 200  # firings a node, before the table is taken to be circular


@dataclass(frozen=True, slots=True)
class Rule:
    """``change(node)`` gives the better node or None; a smaller shape is broadcast back. ``note`` is the reason.

    ``ops`` are the names of the ops that it looks at, or a test of an op.
    """

    name: str
    ops: tuple[str, ...] | Callable[[Op], bool]
    change: Callable[[Node], Node | None]
    note: str = ""


class Rules:
    """A table of rules by the op they look at; ``watch`` sees every firing."""

    def __init__(self, rules: Sequence[Rule], watch: Watch | None = None) -> None:
        self.watch = watch
        self.rules = tuple(rules)
        self.table: dict[Op, list[Rule]] = {}

    def of(self, op: Op) -> list[Rule]:
        """Those that look at an op."""
        if op not in self.table:
            self.table[op] = [r for r in self.rules if (r.ops(op) if callable(r.ops) else op.name in r.ops)]
        return self.table[op]

    def apply(self, node: Node) -> Node:
        """What the first rule that fires makes of a node, else the node."""
        for rule in self.of(node.op):
            after = rule.change(node)
            if after is not None and after is not node:
                after = broadcast(after, node.shape)
                assert after.type == node.type, f"{rule.name}: {node.type} became {after.type}"
                if self.watch is not None:
                    self.watch(rule, node, after)
                return after
        return node


def rewrite(outputs: Sequence[Node], rules: Sequence[Rule] | Rules, watch: Watch | None = None) -> dict[Node, Node]:
    """Old -> new; ``watch(rule, before, after)`` sees every firing. A table may be made once and used often."""
    order = topological(outputs)
    normal: dict[Node, Node] = {}
    table = rules if isinstance(rules, Rules) else Rules(rules, watch)
    budget = _MOST_STEPS * (len(order) + 10)
    for root in order:
        budget = _settle(root, table, normal, budget)
    return {node: normal[node] for node in order}


def _settle(root: Node, rules: Rules, normal: dict[Node, Node], budget: int) -> int:
    """Bring ``root`` to its normal form; gives what is left of the budget of steps."""
    following: dict[Node, Node] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        if node in normal:
            stack.pop()
            continue
        budget -= 1
        if budget < 0:
            raise InternalError("rewriting does not end", ("node", described(node)))
        missing = [a for a in node.args if a not in normal]
        if missing:
            stack.extend(reversed(missing))
            continue
        after = following.get(node)
        if after is None:
            current = rebuild(node, (normal[a] for a in node.args))
            after = following[node] = rules.apply(node) if current is node else current
        if after is node or after in normal:
            normal[node] = node if after is node else normal[after]
            stack.pop()
        else:
            stack.append(after)
    return budget


# What rules ask of a node


def value(node: Node) -> float | None:
    """The number that a node is, also repeated along axes; None for anything else (and for booleans)."""
    while node.op.name in ("broadcast", "reshape") and node.args[0].dtype != "bool":
        node = node.args[0]
    if node.op.name != "constant" or node.type.rank or node.dtype == "bool":
        return None
    return node["value"]


def has_value(node: Node, number: float) -> bool:
    """Whether the node is that number (0.0 also stands for -0.0)."""
    return value(node) == number


def split(node: Node, op: str) -> tuple[Node, ...]:
    """The arguments of a node of that op, else nothing."""
    return node.args if node.op.name == op else ()


def either(node: Node, test: Callable[[Node], bool]) -> tuple[Node, Node] | None:
    """(the argument that passes, the other), for an op of two arguments; the right one is tried first."""
    a, b = node.args
    if test(b):
        return b, a
    return (a, b) if test(a) else None


def minus(node: Node) -> tuple[Node, Node] | None:
    """(a, b), where the node is written as a - b: a - b, a + (-c), (-c) + a, -(b - a)."""
    if node.op.name == "sub":
        a, b = node.args
        return a, b
    if node.op.name == "neg" and node.args[0].op.name == "sub":
        b, a = node.args[0].args
        return a, b
    found = either(node, lambda c: (value(c) or 0.0) < 0) if node.op.name == "add" else None
    return (found[1], constant(-value(found[0]), node.dtype)) if found else None  # type: ignore[operator]
