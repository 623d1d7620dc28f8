"""When a node is taken: under which conditions of ``where`` its value reaches an output.

In: conditions met on the way from the outputs. Out: where a cotangent may not be multiplied by what it meets, since
0 times infinity is NaN, the same with a select in front. A branch is a union of conjunctions of (condition, whether it
holds), each condition broadcastable to the node; what is not followed counts as taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.ir.node import Node, build, constant
from symgrad.ir.types import Shape
from symgrad.ops.contract import split
from symgrad.ops.reduce import kept
from symgrad.ops.shape import reshape, transpose

Literal = tuple[Node, bool]
Place = tuple[Literal, ...]  # all of these hold
Branch = tuple[Place, ...]  # one of these
ALWAYS: Branch = ((),)
_MOST_CONDITIONS, _MOST_PLACES = 4, 4


def joined(p: Branch, q: Branch) -> Branch:
    """Taken in one place or the other; c or not c is always."""
    found = list(dict.fromkeys((*p, *q)))
    while pair := next(((a, b) for a in found for b in found if _is_complement(a, b)), None):
        a, b = pair
        found = [each for each in found if each not in pair] + [tuple(x for x in a if x in b)]
    return ALWAYS if () in found or len(found) > _MOST_PLACES else tuple(found)


def _is_complement(a: Place, b: Place) -> bool:
    """Whether the two differ in the sign of one condition only."""
    left, right = [x for x in a if x not in b], [x for x in b if x not in a]
    return len(left) == len(right) == 1 and left[0][0] is right[0][0]


def passed(node: Node, i: int, branch: Branch) -> Branch:
    """Where the i-th argument of a node is taken, given where the node is."""
    if node.op.name == "where":
        literal = (node.args[0], i == 1)
        opposite = (literal[0], not literal[1])
        branch = tuple(_and(each, literal) for each in branch if opposite not in each)
    if branch == ALWAYS:
        return ALWAYS
    return joined((), tuple(tuple(_moved(literal, node, i) for literal in each) for each in branch))


def _and(each: Place, literal: Literal) -> Place:
    return each if literal in each or len(each) >= _MOST_CONDITIONS else (*each, literal)


def _moved(literal: Literal, node: Node, i: int) -> Literal:
    """A condition on the elements of a node as one on those of its i-th argument.

    Where an element of the argument has several of the node's, it is taken if any of them is.
    """
    c, x = literal[0], node.args[i]
    if not c.type.rank:
        return literal
    wide = reshape(c, (1,) * (node.type.rank - c.type.rank) + c.shape), literal[1]
    if node.op.kind in ("elementwise", "identity") or node.op.name == "broadcast":
        return _narrowed(wide, x.shape)
    if node.op.kind in ("reduce", "composite") and "axes" in node.params:
        return _unreduced(wide, x, node)
    rule = _MOVES.get(node.op.name)
    found = None if rule is None else rule(wide, node, i)
    return _any(wide, tuple(range(node.type.rank)), ()) if found is None else found


def _any(literal: Literal, axes: tuple[int, ...], shape: Shape | None = None) -> Literal:
    """Whether the condition holds anywhere along the axes, which stay with length 1 (or get that shape)."""
    c, holds = literal
    along = tuple(k for k in axes if c.shape[k] != 1)
    if along:
        reduced = build("any_reduce", c if holds else build("logical_not", c), axes=along)
        c, holds = reshape(reduced, kept(c.shape, along)), True
    return c if shape is None else reshape(c, shape), holds


def _narrowed(literal: Literal, shape: Shape) -> Literal:
    """Behind broadcasting."""
    rank = literal[0].type.rank
    extra = rank - len(shape)
    repeated = tuple(k for k in range(rank) if k < extra or shape[k - extra] == 1)
    c, holds = _any(literal, repeated)
    return reshape(c, c.shape[extra:]), holds


def _unreduced(literal: Literal, x: Node, node: Node) -> Literal:
    axes = node["axes"]
    if node.type.rank == x.type.rank:  # along an axis, as softmax
        return _any(literal, axes)
    shape = iter(literal[0].shape)
    return reshape(literal[0], tuple(1 if k in axes else next(shape) for k in range(x.type.rank))), literal[1]


def _reshaped(literal: Literal, node: Node, i: int) -> Literal | None:
    """Through a reshape that only adds or drops axes of length 1."""
    shape = node.args[0].shape
    if [n for n in node.shape if n != 1] != [n for n in shape if n != 1]:
        return None
    sizes = iter([m for m, n in zip(literal[0].shape, node.shape, strict=True) if n != 1])
    return reshape(literal[0], tuple(1 if n == 1 else next(sizes) for n in shape)), literal[1]


def _transposed(literal: Literal, node: Node, i: int) -> Literal:
    perm = node["perm"]
    return transpose(literal[0], tuple(perm.index(k) for k in range(len(perm)))), literal[1]


def _sliced(literal: Literal, node: Node, i: int) -> Literal:
    """Along the axes that are kept whole."""
    cuts = zip(node["start"], node["size"], node["step"], node.args[0].shape, strict=True)
    return _any(literal, tuple(k for k, (start, size, step, n) in enumerate(cuts) if (start, size, step) != (0, n, 1)))


def _gathered(literal: Literal, node: Node, i: int) -> Literal | None:
    if i != 0:
        return None
    axis, index = node["axis"], node.args[1].type.rank
    shape = literal[0].shape
    return _any(literal, tuple(range(axis, axis + index)), (*shape[:axis], 1, *shape[axis + index :]))


def _along_axis(literal: Literal, node: Node, i: int) -> Literal:
    return _any(literal, (node["axis"],))


def _factor(literal: Literal, node: Node, i: int) -> Literal:
    """On one factor of a contraction."""
    *operands, out = split(node["spec"])
    letters = operands[i]
    c, holds = _any(literal, tuple(k for k, letter in enumerate(out) if letter not in letters))
    varying = [letter for letter, n in zip(out, c.shape, strict=True) if n != 1]
    narrow = reshape(c, tuple(n for n in c.shape if n != 1))
    moved = transpose(narrow, tuple(varying.index(k) for k in letters if k in varying))
    sizes = iter(moved.shape)
    return reshape(moved, tuple(next(sizes) if k in varying else 1 for k in letters)), holds


_MOVES: dict[str, Callable[[Literal, Node, int], Literal | None]] = {
    "einsum": _factor,
    "transpose": _transposed,
    "reshape": _reshaped,
    "slice": _sliced,
    "gather": _gathered,
    "concatenate": _along_axis,
    "cumsum": _along_axis,
}


def _varies_along(branch: Branch, node: Node, out: str) -> set[str]:
    """The letters of a contraction's result along which its branch differs."""
    found = set()
    for c in (c for each in branch for c, _ in each):
        found |= {letter for letter, n in zip(out[len(out) - c.type.rank :], c.shape, strict=True) if n != 1}
    return found


def mask(branch: Branch) -> Node:
    """The branch as a boolean tensor."""
    places = [_joint("logical_and", [_holds(*literal) for literal in each]) for each in branch]
    return _joint("logical_or", places) if places else constant(False)


def _holds(condition: Node, is_true: bool) -> Node:
    return condition if is_true else build("logical_not", condition)


def _joint(op: str, nodes: Sequence[Node]) -> Node:
    result = nodes[0]
    for n in nodes[1:]:
        result = build(op, result, n)
    return result


def selected(x: Node, branch: Branch) -> Node:
    """x where it is taken, else 0."""
    return x if branch == ALWAYS else build("where", mask(branch), x, constant(0.0))


def pull_product(node: Node, y_bar: Node, branch: Branch) -> Sequence[Node]:
    """The rule of a contraction, of which nothing comes back where it is not taken."""
    return [_pull_factor(node, y_bar, i, branch) for i in (0, 1)]


def _pull_factor(node: Node, y_bar: Node, i: int, branch: Branch) -> Node:
    """One factor's cotangent, the sum of y_bar times the other factor.

    Where the branch differs along axes of the other factor alone, that is read where it is taken; where along axes of
    the result, the result is kept where it is; else the other factor is read where any product with it is taken.
    """
    *letters, out = split(node["spec"])
    varying = _varies_along(branch, node, out)
    other = node.args[1 - i]
    of_other = bool(varying) and varying <= set(letters[1 - i])
    of_result = not of_other and varying <= set(letters[i])
    if other.op.name == "variable" and other["variable"].kind == "parameter" and not of_other and varying:
        return _pulled(node, y_bar, i, other)  # what is learned is finite
    if of_result:
        return selected(_pulled(node, y_bar, i, other), passed(node, i, branch))
    return _pulled(node, y_bar, i, selected(other, passed(node, 1 - i, branch)))


def _pulled(node: Node, y_bar: Node, i: int, other: Node) -> Node:
    factors = (node.args[0], other) if i == 0 else (other, node.args[1])
    return node.op.vjp(y_bar, node, *factors, **node.params)[i]  # type: ignore[misc]
