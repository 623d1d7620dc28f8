"""Windows in products, and overlap-add.

Along the last windowed axis the positions of one window, with all axes behind, lie side by side in memory: where an
array of windows is stored they are copied (or added) as one run.
"""

from __future__ import annotations

from symgrad.ir.node import Node, build
from symgrad.ir.program import Accumulate
from symgrad.ir.types import Shape, size_product
from symgrad.lower.access import covered, identity
from symgrad.lower.frame import Frame
from symgrad.lower.nest import Nest
from symgrad.lower.sizes import squeeze
from symgrad.ops.shape import reshape
from symgrad.ops.window import offset_axes, window


def in_runs(node: Node) -> Node:
    """An array of windows that is to be stored, read in runs where it can be."""
    if node.op.name != "window":
        return node
    (x,) = node.args
    axes, sizes = node["axes"], node["sizes"]
    width = _width(node, x.shape, sizes[-1])
    if not width:
        return node
    merged = _merged(x, axes[-1])
    strides = (*node["strides"][:-1], node["strides"][-1] * width)
    return reshape(window(merged, axes, (*sizes[:-1], sizes[-1] * width), strides, node["dilations"]), node.shape)


def added_in_runs(node: Node) -> Node:
    """An overlap-add of windows that are stored (a product of matrices), in runs where it can be."""
    (v,) = node.args
    axes, last = node["axes"], offset_axes(node["axes"])[-1]
    width = _width(node, node.shape, v.shape[last]) if v.op.name == "reshape" else 0
    if not width:
        return node
    params = {
        "axes": axes,
        "lengths": (*node["lengths"][:-1], node["lengths"][-1] * width),
        "strides": (*node["strides"][:-1], node["strides"][-1] * width),
        "dilations": node["dilations"],
    }
    return reshape(build("overlap_add", _merged(v, last), **params), node.shape)


def _width(node: Node, shape: Shape, size: object) -> int:
    """How many elements lie behind a position of the last windowed axis; 0 where runs are no longer than that."""
    width = size_product(shape[node["axes"][-1] + 1 :])
    alone = size == 1 or node["dilations"][-1] != 1 or not isinstance(width, int)
    return 0 if alone or width < 2 else width  # type: ignore[return-value, operator]


def _merged(x: Node, axis: int) -> Node:
    """One axis for this one and all behind it."""
    return reshape(x, (*x.shape[:axis], size_product(x.shape[axis:])))


def emit_overlap_add(frame: Frame, node: Node) -> None:
    """y = 0, then y[.., o*stride + k*dilation, ..] += v[.., o, .., k, ..]."""
    (v,) = node.args
    frame.allocate(node, 0)
    nest = Nest(frame, squeeze(v.shape))
    spots = identity(v.shape, nest.axes)
    (value,) = nest.write([(v, spots)])
    buffer, index = frame.target(frame.buffers[node], covered(node, spots))
    nest.inner(Accumulate(buffer, index, "add", value, **frame.mark(node)))
    nest.close()
