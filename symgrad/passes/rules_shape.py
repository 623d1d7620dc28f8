"""Simplification of reshapes, transposes, broadcasts, casts, reductions and contractions: index maps
compose, and what is repeated is computed once."""

from __future__ import annotations

from symgrad.ir.node import Node, Op, build, constant, is_constant, rebuild
from symgrad.ir.types import AnySize, broadcast_shapes
from symgrad.ops.contract import split as words
from symgrad.ops.leaf import cast, size
from symgrad.ops.reduce import dropped
from symgrad.ops.shape import broadcast, reshape, transpose
from symgrad.passes.rewrite import Rule, split


def _reshape(node: Node) -> Node | None:
    (x,) = node.args
    if x.shape == node.shape:
        return x
    if x.op.name == "reshape":
        return reshape(x.args[0], node.shape)
    if x.op.name == "broadcast" and not x.args[0].shape:
        return broadcast(x.args[0], node.shape)
    return None


def _transpose(node: Node) -> Node | None:
    (x,), perm = node.args, node["perm"]
    if perm == tuple(range(len(perm))):
        return x
    if x.op.name == "transpose":
        return transpose(x.args[0], tuple(x["perm"][i] for i in perm))
    if x.op.name == "broadcast" and not x.args[0].shape:
        return broadcast(x.args[0], node.shape)
    if x.op.name == "einsum":
        left, right, out = words(x["spec"])
        return build("einsum", *x.args, spec=f"{left},{right}->{''.join(out[i] for i in perm)}")
    return None


def _broadcast(node: Node) -> Node | None:
    (x,) = node.args
    if x.shape == node.shape:
        return x
    if x.op.name == "broadcast":
        return broadcast(x.args[0], node.shape)
    return _ones_dropped(node, x)


def _ones_dropped(node: Node, x: Node) -> Node | None:
    """A reshape that only adds leading axes of length 1 is what broadcasting does anyway."""
    if x.op.name != "reshape":
        return None
    inner = x.args[0]
    extra = x.type.rank - inner.type.rank
    return broadcast(inner, node.shape) if extra >= 0 and x.shape == (1,) * extra + inner.shape else None


def _cast(node: Node) -> Node | None:
    (x,) = node.args
    if x.dtype == node.dtype:
        return x
    if x.op.name == "cast" and x.args[0].dtype == "bool":
        return cast(x.args[0], node["to"])
    return cast(x, node["to"]) if is_constant(x) else None


def _constant_like(node: Node) -> Node:
    return constant(node["value"], node.dtype)


def _bare(x: Node) -> Node:
    """An operand without its broadcast."""
    return x.args[0] if x.op.name == "broadcast" else x


def _spread_last(node: Node) -> Node | None:
    """f(broadcast(s)) = broadcast(f(s)); beside an operand that has the shape anyway the broadcast goes."""
    if not any(a.op.name == "broadcast" for a in node.args):
        return None
    inner = [_bare(a) for a in node.args]
    joint: tuple | None = ()
    for a in inner:
        joint = None if joint is None else broadcast_shapes(joint, a.shape)
    return None if joint is None else rebuild(node, inner)


def _product(sizes: list[AnySize]) -> AnySize:
    total: AnySize = 1
    for n in sizes:
        total = total * n
    return total


def _sum(node: Node) -> Node | None:
    (x,), axes = node.args, node["axes"]
    if x.dtype == "bool":
        return None
    if not axes or all(x.shape[i] == 1 for i in axes):
        return reshape(x, node.shape)
    if x.op.name == "sum":
        left = [i for i in range(x.args[0].type.rank) if i not in x["axes"]]
        return build("sum", x.args[0], axes=tuple(sorted((*x["axes"], *(left[i] for i in axes)))))
    return _sum_of_broadcast(x, axes) if x.op.name == "broadcast" and x.dtype == "real" else None


def _sum_of_broadcast(x: Node, axes: tuple[int, ...]) -> Node | None:
    """Axes along which an operand is only repeated are counted instead of summed."""
    inner = x.args[0]
    padded = (1,) * (x.type.rank - inner.type.rank) + inner.shape
    repeated = [i for i in axes if padded[i] == 1 and x.shape[i] != 1]
    if not repeated:
        return None
    count = size(_product([x.shape[i] for i in repeated]))
    target = tuple(1 if i in repeated else n for i, n in enumerate(x.shape))
    once = broadcast(reshape(inner, padded), target)
    rest = tuple(i for i in axes if i not in repeated)
    summed = reshape(build("sum", once, axes=rest) if rest else once, dropped(x.shape, axes))
    return count * summed


def _extreme(node: Node) -> Node | None:
    (x,), axes = node.args, node["axes"]
    if not axes or all(x.shape[i] == 1 for i in axes):
        return reshape(x, node.shape)
    return None


def _einsum(node: Node) -> Node | None:
    """A transposed operand is another spec."""
    letters = list(words(node["spec"]))
    args = list(node.args)
    for i in (0, 1):
        if args[i].op.name == "transpose":
            perm = args[i]["perm"]
            letters[i] = "".join(letters[i][perm.index(k)] for k in range(len(perm)))
            args[i] = args[i].args[0]
    if args == list(node.args):
        return None
    return build("einsum", *args, spec=f"{letters[0]},{letters[1]}->{letters[2]}")


def _times_scalar(node: Node) -> Node | None:
    """A contraction with a scalar is a product; what the scalar stands beside is summed and transposed."""
    *letters, out = words(node["spec"])
    if "" not in letters:
        return None
    i = letters.index("")
    x, word = node.args[1 - i], letters[1 - i]
    axes = tuple(k for k, c in enumerate(word) if c not in out)
    rest = "".join(c for c in word if c in out)
    x = transpose(build("sum", x, axes=axes) if axes else x, tuple(rest.index(c) for c in out))
    return node.args[i] * x


def _transpose_inside(node: Node) -> Node | None:
    """(f(a, b^T))^T = f(a^T, b), where the transposes of the others are reshapes or nothing."""
    (y,), perm = node.args, node["perm"]
    if y.op.kind != "elementwise" or not any(a.op.name == "transpose" and a.shape == y.shape for a in y.args):
        return None
    if not all((a.op.name == "transpose" and a.shape == y.shape) or _is_line(a) for a in y.args):
        return None
    return rebuild(y, (_line(a, perm) if _is_line(a) else transpose(a, perm) for a in y.args))


def _is_line(x: Node) -> bool:
    """Whether at most one axis is longer than 1."""
    return sum(n != 1 for n in x.shape) <= 1


def _line(x: Node, perm: tuple[int, ...]) -> Node:
    """The transpose of a line, with no leading axes of length 1."""
    if not x.shape:
        return x
    wide = (1,) * (len(perm) - x.type.rank) + x.shape
    shape = tuple(wide[i] for i in perm)
    first = next((i for i, n in enumerate(shape) if n != 1), len(shape) - 1)
    return reshape(x, shape[first:])


def _slice_of_repeated(node: Node) -> Node | None:
    inner = split(node.args[0], "broadcast")
    return broadcast(inner[0], node.shape) if inner and not inner[0].shape else None


def _is_spread_last(op: Op) -> bool:
    """Element-wise ops; ``cast`` keeps its parameter through ``rebuild``. Signs go out of a broadcast."""
    return op.kind == "elementwise" and op.name not in ("constant_like", "neg")


RULES = [
    Rule("reshape of reshape", ("reshape",), _reshape),
    Rule("transpose of transpose", ("transpose",), _transpose, "also of a contraction: another spec"),
    Rule("broadcast of broadcast", ("broadcast",), _broadcast),
    Rule("cast of cast", ("cast",), _cast, "an integer that passes through bool does not fold"),
    Rule("a constant's kind is known", ("constant_like",), _constant_like),
    Rule("f(broadcast(x)) = broadcast(f(x))", _is_spread_last, _spread_last, "computed once"),
    Rule("sum of sum, of repeated", ("sum",), _sum, "sum over n equal terms is n times one"),
    Rule("extreme of one", ("max_reduce", "min_reduce", "prod"), _extreme),
    Rule("einsum of transpose", ("einsum",), _einsum, "another spec"),
    Rule("product with a scalar", ("einsum",), _times_scalar),
    Rule("(f(a, b^T))^T = f(a^T, b)", ("transpose",), _transpose_inside),
    Rule("slice of a repeated scalar", ("slice",), _slice_of_repeated),
]
