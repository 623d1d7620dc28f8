"""Overlap-add: windows added to where they were read, one after the other in a fixed order."""

from __future__ import annotations

from symgrad.ir.node import Node
from symgrad.ir.program import Accumulate
from symgrad.lower.access import covered, identity
from symgrad.lower.frame import Frame
from symgrad.lower.nest import Nest
from symgrad.lower.sizes import squeeze


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
