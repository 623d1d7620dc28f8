"""Functions of the loop program as the text of a Python module; nothing else knows that the text is Python.

In: ``Function``. Out: lines, each with the number of the node it computes. Programs are walked with a
stack, in linear time. Text beyond ``WIDTH`` columns is filled inside parentheses.

Kernels, where lower names none of its own: ``dot(a, b, out)``, printed as ``matmul``; ``flat(a, view)`` and
``reshape(a, view, size, ...)`` bind a name to a view of a contiguous buffer, sizes being names or digits;
``row(a, view, position)`` to a[position], ``rows(a, view, stop)`` and ``rows(a, view, start, stop)`` to a[start:stop],
``same(a, view)`` to a.
An operand "T:name" is the transposed view. ``Return((x,))`` leaves with x, ``Return(((x,),))`` with a one-tuple.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from symgrad.emit.names import display
from symgrad.emit.scalar import literal, text
from symgrad.ir.expression import Expr, apply, load, var
from symgrad.ir.program import Accumulate, Allocate, Assign, Call, Exit, Function, If, Loop, Return, Statement, Store

WIDTH = 100
DTYPES = {"f64": "f64", "f32": "f32", "i64": "i64", "i32": "i32", "bool": "np.bool_"}
Line = tuple[str, int | None]
_QUOTE = re.compile(r'"(?="|$)')  # one that could help to end a docstring

_RAISED = {"index": "IndexError", "value": "ValueError"}
_AUGMENTED = {"add": "+=", "mul": "*=", "or": "|=", "and": "&="}
# Where to break a line: a comma before a comparison before a sum before a product; then the outermost.
_RANK = {",": 0, "|": 1, "^": 1, "&": 1, "<": 2, "<=": 2, ">": 2, ">=": 2, "==": 2, "!=": 2, "<<": 3, ">>": 3}
_RANK |= {"+": 4, "-": 4, "*": 5, "/": 5, "//": 5, "%": 5}


def function_lines(function: Function, decorator: str = "") -> list[Line]:
    """The definition of a function: decorator, head, docstring, body."""
    head = wrapped(f"def {function.name}(", ", ".join(p.name for p in function.parameters), "):", bare=True)
    lines: list[Line] = [(decorator, None)] if decorator else []
    lines += [(line, None) for line in [*head, *docstring(function.doc, "    ")]]
    lines += body_lines(function.body)
    return lines


def docstring(doc: str, pad: str = "") -> list[str]:
    """A docstring that evaluates to the given text, whatever is in it; no lines for no text."""
    if not doc:
        return []
    rows = [row.rstrip(" ") for row in doc.split("\n")]
    escaped = [row.encode("unicode_escape").decode("ascii") for row in rows]
    escaped = [_QUOTE.sub(r"\"", row) for row in escaped]
    lines = [f"{pad}{row}" if row else "" for row in escaped]
    lines[0] = f'{pad}"""{escaped[0]}'
    return [*lines, f'{pad}"""'] if len(rows) > 1 else [f'{lines[0]}"""']


def body_lines(body: tuple[Statement, ...], depth: int = 1) -> list[Line]:
    """The statements of a body, indented."""
    lines: list[Line] = []
    stack: list[tuple[Statement | str, int]] = []
    _push(stack, body, depth)
    while stack:
        item, level = stack.pop()
        pad = "    " * level
        if isinstance(item, str):
            lines.append((pad + item, None))
            continue
        if note := getattr(item, "note", ""):
            lines.append((f"{pad}# {display(note, WIDTH - len(pad) - 2)}", None))
        if isinstance(item, Loop):
            lines += [(line, None) for line in wrapped(f"for {item.var} in range(", _range(item), "):", pad, True)]
            _push(stack, item.body, level + 1)
        elif isinstance(item, If):
            lines += _branch(stack, item, level)
        else:
            node = getattr(item, "node", None)
            lines += [(line, node) for line in wrapped(*_PRINT[type(item)](item), pad=pad)]
    return lines


def _push(stack: list, body: tuple[Statement, ...], level: int) -> None:
    stack.extend((s, level) for s in reversed(body or ("pass",)))


def _branch(stack: list, branch: If, level: int) -> list[Line]:
    """The arms go to the stack; the line of the condition comes back. A chain of branches becomes elif."""
    pad = "    " * level
    arms, word, last = [], "if ", branch
    while True:
        arms.append((wrapped(word, text(last.condition), ":", pad), last.body))
        if not (len(last.orelse) == 1 and isinstance(last.orelse[0], If)):
            break
        last, word = last.orelse[0], "elif "
    if last.orelse:
        arms.append(([f"{pad}else:"], last.orelse))
    for head, body in reversed(arms[1:]):
        _push(stack, body, level + 1)
        stack.extend((line, 0) for line in reversed(head))
    _push(stack, arms[0][1], level + 1)
    return [(line, None) for line in arms[0][0]]


def _range(loop: Loop) -> str:
    """The arguments of ``range``, without a start of 0 or a step of 1."""
    start, stop = text(loop.start), text(loop.stop)
    if loop.step != 1:
        return f"{start}, {stop}, {loop.step}"
    return stop if start == "0" else f"{start}, {stop}"


def _element(buffer: str, index: tuple[Expr, ...]) -> str:
    return text(load(buffer, index, "f64"))


def _assign(s: Assign) -> tuple[str, str]:
    """A named literal is a NumPy scalar: without Numba, 1.0 / 0.0 of two Python floats would raise."""
    if s.expr.op == "const" and s.expr.dtype == "f64":
        return f"{s.target} = f64({text(s.expr)})", ""
    return f"{s.target} = ", text(s.expr)


def _store(s: Store) -> tuple[str, str]:
    return f"{_element(s.buffer, s.index)} = ", text(s.expr)


def _accumulate(s: Accumulate) -> tuple[str, str]:
    """An int32 sum is written out, since it needs its cast."""
    old = var(s.target, s.expr.dtype) if s.index is None else load(s.target, s.index, s.expr.dtype)
    if s.expr.dtype == "i32":
        return f"{text(old)} = ", text(apply(s.op, old, s.expr))
    return f"{text(old)} {_AUGMENTED[s.op]} ", text(s.expr)


def _exit(s: Exit) -> tuple[str, str]:
    quoted = ascii(s.message)
    if '"' not in quoted:
        quoted = f'"{quoted[1:-1]}"'
    return f"raise {_RAISED[s.kind]}({quoted})", ""


def _call(s: Call) -> tuple[str, str]:
    first, second, *rest = [_operand(a) for a in s.args]
    if s.kernel == "flat":
        return f"{second} = ", f"{first}.reshape(-1)"
    if s.kernel == "reshape":
        return f"{second} = ", f"{first}.reshape(({', '.join(rest)}{',' if len(rest) == 1 else ''}))"
    if s.kernel == "same":
        return f"{second} = ", first
    if s.kernel == "row":
        return f"{second} = ", f"{first}[{rest[0]}]"
    if s.kernel == "rows":
        return f"{second} = ", f"{first}[{':'.join(['', *rest][-2:])}]"
    name = "matmul" if s.kernel == "dot" else s.kernel
    return f"{name}({', '.join([first, second, *rest])})", ""


def _operand(name: str) -> str:
    return f"{name[2:]}.T" if name.startswith("T:") else name


def _allocate(s: Allocate) -> tuple[str, str]:
    sizes = [text(n) for n in s.shape]
    shape = sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"
    dtype = DTYPES[s.dtype]
    if s.fill is None or (s.fill == 0 and literal(s.fill, s.dtype) == literal(0, s.dtype)):
        return f"{s.name} = np.{'empty' if s.fill is None else 'zeros'}({shape}, {dtype})", ""
    return f"{s.name} = np.full({shape}, {literal(s.fill, s.dtype)}, {dtype})", ""


def _return(s: Return) -> tuple[str, str]:
    return "return ", ", ".join(structure(v) for v in s.values) or "()"


def structure(value: object) -> str:
    """Names and expressions in nested tuples, as Python writes them.

    >>> structure(("J", ("x_bar",), ()))
    '(J, (x_bar,), ())'
    """
    parts: list[str] = []
    stack: list[object] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            inner: list[object] = ["("]
            for n, member in enumerate(item):
                inner += [", "] * (n > 0) + [member]
            stack.extend(reversed([*inner, ",)" if len(item) == 1 else ")"]))
        else:
            parts.append(text(item) if isinstance(item, Expr) else str(item))
    return "".join(parts)


_PRINT: dict[type, Callable[..., tuple[str, str]]] = {
    Assign: _assign, Store: _store, Accumulate: _accumulate, Exit: _exit, Call: _call, Allocate: _allocate,
    Return: _return,
}  # fmt: skip


def wrapped(head: str, body: str, tail: str = "", pad: str = "", bare: bool = False) -> list[str]:
    """``head body tail`` on one line if it fits, else the body filled between parentheses.

    ``bare`` adds none: the head opens them, or a call or tuple that is the whole body. A body without a place to
    break stays whole.
    """
    whole = f"{pad}{head}{body}{tail}"
    if len(whole) <= WIDTH or " " not in body:
        return [whole]
    if not bare and (name := _enclosing(body)) is not None:
        head, body, tail, bare = f"{head}{name}(", body[len(name) + 1 : -1], f"){tail}", True
        body, tail = (body[:-1], f",{tail}") if body.endswith(",") else (body, tail)
    opened, closed = (head, tail) if bare else (f"{head}(", f"){tail}")
    rows = fill(body, WIDTH - len(pad) - 4)
    return [pad + opened, *(f"{pad}    {row}" for row in rows), pad + closed]


def _enclosing(body: str) -> str | None:
    """The name before the parentheses (none: "") that hold all the rest, or None."""
    name, opened, _ = body.partition("(")
    if not opened or not body.endswith(")") or not (name == "" or name.replace(".", "_").isidentifier()):
        return None
    depth = 0
    for n, c in enumerate(body):
        depth += (c == "(") - (c == ")")
        if not depth and n >= len(name) and n < len(body) - 1:
            return None
    return name


def fill(body: str, room: int) -> list[str]:
    """Break text before operators and after commas, at the outermost place in the last two thirds of a line."""
    pieces = list(_pieces(body))
    rows, start, n = [], 0, 0
    length = 0
    while n < len(pieces):
        length += len(pieces[n][0]) + 1
        n += 1
        if length <= room + 1 or n - start == 1:
            continue
        cut = _cut(pieces, start, n, room)
        rows.append(" ".join(piece for piece, _ in pieces[start:cut]))
        start = n = cut
        length = 0
    rows.append(" ".join(piece for piece, _ in pieces[start:]))
    return rows


def _cut(pieces: list[tuple[str, tuple[int, int]]], start: int, stop: int, room: int) -> int:
    """Where in pieces[start:stop], which is one piece too long, the next row begins."""
    best, length = stop - 1, 0
    for n in range(start, stop - 1):
        length += len(pieces[n][0]) + 1
        if 3 * length >= room and pieces[n + 1][1] <= pieces[best][1]:
            best = n + 1
    return best


def _pieces(body: str) -> Iterable[tuple[str, tuple[int, int]]]:
    """The parts that stay whole, each with (depth, rank) of the place before it."""
    depth, before, piece = 0, (0, 0), ""
    at_comma = True
    for word in body.split(" "):
        if piece and (at_comma or word in _RANK):
            yield piece, before
            before, piece = (depth, 0 if at_comma else _RANK[word]), ""
        piece = f"{piece} {word}" if piece else word
        depth += sum(word.count(c) for c in "([{") - sum(word.count(c) for c in ")]}")
        at_comma = word.endswith(",")
    yield piece, before
