r"""Printers of windows: convolutions as people write them, and pooling.

x * K is the product of the windows of x with a kernel, \bar{z} *^\top K its pullback to x, and x * \bar{z} that to K;
what is not 1 (for pooling: not the size of the window) stands below: x *_{s=2} K. Pooling is \max_{2 \times 2} x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgrad.emit.latex_arrays import ARRAYS
from symgrad.emit.latex_contractions import CONTRACTIONS
from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_pieces import ATOM, FUNCTION, POWER, PRODUCT, Piece, at_least, fenced
from symgrad.ir.node import Node
from symgrad.ops.contract import split
from symgrad.ops.window import offset_axes


def _by(numbers: Sequence[object]) -> str:
    r"""3 \times 3."""
    return r" \times ".join(map(str, numbers))


def _tag(strides: Sequence[int], dilations: Sequence[int], sizes: Sequence[object] = ()) -> list[str]:
    """What differs from the usual: strides of 1 (or of the window's size), dilations of 1."""
    marks = []
    if tuple(strides) != (tuple(sizes) or (1,) * len(strides)):
        marks.append("s=" + (str(strides[0]) if len(set(strides)) == 1 else _by(strides)))
    if set(dilations) != {1}:
        marks.append("d=" + (str(dilations[0]) if len(set(dilations)) == 1 else _by(dilations)))
    return marks


def _below(marks: Sequence[str]) -> str:
    return rf"_{{{', '.join(marks)}}}" if marks else ""


def _window(node: Node, args: list[Piece], naming: Naming) -> Piece:
    below = _below([_by(node["sizes"]), *_tag(node["strides"], node["dilations"])])
    return Piece(rf"\operatorname{{windows}}{below}{fenced(args[0].text)}", ATOM, parts=(args[0],))


def _is_windows(node: Node, x: Piece) -> bool:
    """Whether these are windows that have no name of their own."""
    return node.op.name == "window" and bool(x.parts)


def _einsum(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """A convolution, if windows are multiplied with a kernel or with a cotangent."""
    x, (left, right) = node.args[0], args
    plain = CONTRACTIONS["einsum"](node, args, naming)
    if not _is_windows(x, left):
        return replace(plain, parts=(left, right))
    words = split(node["spec"])
    offsets = {words[0][i] for i in offset_axes(x["axes"])}
    positions = {words[0][i] for i in x["axes"]}
    strides, dilations = x["strides"], x["dilations"]
    if positions <= set(words[1]) - set(words[2]):
        strides, dilations = dilations, strides
    elif not offsets <= set(words[1]) - set(words[2]):
        return plain
    return _convolved(left.parts[0], f"*{_below(_tag(strides, dilations))}", right)


def _convolved(left: Piece, sign: str, right: Piece) -> Piece:
    return Piece(f"{at_least(left, POWER)} {sign} {at_least(right, POWER)}", PRODUCT)


def _overlap_add(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """The pullback of a convolution, or the sum of windows where they overlap."""
    (v,), (shown,) = node.args, args
    if v.op.name == "einsum" and shown.parts:
        words = split(v["spec"])
        kernel = all(words[2][i] in words[1] for i in offset_axes(node["axes"]))
        left, right = shown.parts if kernel else reversed(shown.parts)
        return _convolved(left, rf"*{_below(_tag(node['strides'], node['dilations']))}^\top", right)
    sizes = [v.shape[i] for i in offset_axes(node["axes"])]
    below = _below([_by(sizes), *_tag(node["strides"], node["dilations"])])
    return Piece(rf"\operatorname{{overlap}}{below}{fenced(shown.text)}", ATOM)


def _pool(name: str, operator: str, level: int) -> Printer:
    """A reduction of whole windows."""

    def reduce(node: Node, args: list[Piece], naming: Naming) -> Piece:
        (x,), (shown,) = node.args, args
        if not _is_windows(x, shown) or node["axes"] != offset_axes(x["axes"]):
            return ARRAYS[name](node, args, naming)
        below = _below([_by(x["sizes"]), *_tag(x["strides"], x["dilations"], x["sizes"])])
        return Piece(f"{operator}{below} {at_least(shown.parts[0], level)}", FUNCTION)

    return reduce


WINDOWS: dict[str, Printer] = {
    "window": _window,
    "overlap_add": _overlap_add,
    "einsum": _einsum,
    "max_reduce": _pool("max_reduce", r"\max", ATOM),
    "sum": _pool("sum", r"\sum", PRODUCT),
}
