r"""LaTeX of this package as one line of Unicode, for terminals.

In: a formula as ``latex`` prints it (or a name as its reader gave it). Out: the same content: \frac{\partial
J}{\partial W^{(2)}} is ∂J/∂W⁽²⁾. A small machine with a stack of groups; a command it does
not know is shown by its name.
"""

from __future__ import annotations

import re
import unicodedata

from symgrad.emit.latex_names import GREEK

_GREEK = {
    name: unicodedata.lookup(f"GREEK {'CAPITAL' if name[0].isupper() else 'SMALL'} LETTER {word.upper()}")
    for name, word in ((n, n.replace("ambda", "amda")) for n in sorted(GREEK))
}
_OPENS, _CLOSES = "\ue000", "\ue001"  # no space behind the one, none before the other
_BRACKETS = {
    "langle": f"⟨{_OPENS}", "rangle": f"{_CLOSES}⟩", "lVert": f"‖{_OPENS}", "rVert": f"{_CLOSES}‖",
    "lfloor": f"⌊{_OPENS}", "rfloor": f"{_CLOSES}⌋", "lceil": f"⌈{_OPENS}", "rceil": f"{_CLOSES}⌉",
}  # fmt: skip
_NAMED = "varphi partial sum prod odot cdot top infty times le ge ne neg wedge vee to ldots sim backslash"
SIGNS = {
    **_GREEK,
    **_BRACKETS,
    **dict(zip(_NAMED.split(), "φ∂ΣΠ⊙·ᵀ∞×≤≥≠¬∧∨→…~\\", strict=True)),
    **{c: c for c in "{}$%#&_["},
    **{"bmod": "mod", "left": "", "right": "", "quad": ", ", ",": " ", " ": " "},
}
_NO_SPACE_AFTER = ("∂", "\\", "~")
_APPLY = "\u2061"  # stands between a function and its argument until the text is whole
_FUNCTIONS = frozenset("ln log sin cos tan arcsin arccos arctan sinh cosh tanh exp max min".split())
_ARGUMENTS = {"frac": 2} | dict.fromkeys(
    "sqrt cbrt hat bar tilde dot overline mathrm text operatorname mathbb mathbf begin end ^ _".split(), 1
)
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "overline": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
_RAISED = dict(zip("0123456789+-()nᵀ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿᵀ", strict=True))
_LOWERED = dict(zip("0123456789+-()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_MARKS = f"[{''.join(c for c in (*_RAISED.values(), *_LOWERED.values()) if c not in '⁽⁾₍₎')}]"
_BOLD = {("mathbb", "1"): "𝟙", ("mathbf", "1"): "𝟏", ("mathbf", "e"): "𝐞", ("mathbf", "I"): "𝐈"}
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|[^\\\s]", re.DOTALL)
_ROOT = re.compile(r"\\sqrt\[([^][]*)\]")
_OPERATORS = "+-*=<>≤≥≠,)]}·⊙&;⟩‖⌋⌉|"


class _Group:
    """Pieces so far, operators that wait for arguments, and the environment it is."""

    __slots__ = ("environment", "opened_by", "pieces", "waiting")

    def __init__(self, opened_by: str = "", environment: str = "") -> None:
        self.pieces: list[tuple[str, bool]] = []  # (text, whether it is a quotient)
        self.waiting: list[tuple[str, list[str]]] = []
        self.opened_by = opened_by
        self.environment = environment


def unicode(latex: str) -> str:
    r"""One line of text.

    >>> print(unicode(r"\frac{\partial J}{\partial W^{(2)}} = (a^{(2)})^\top \delta^{(3)}"))
    ∂J/∂W⁽²⁾ = (a⁽²⁾)ᵀ δ⁽³⁾
    """
    stack = [_Group()]
    for token in _TOKEN.findall(_ROOT.sub(_root, latex)):
        _read(token, stack)
    while len(stack) > 1:
        _close(stack)
    text = re.sub(f"{_OPENS} *| *{_CLOSES}", "", _text(stack[0]))
    text = re.sub(f"{_APPLY}({_MARKS}*|_\\([^()]*\\)) *(?=\\(|$)", r"\1", text)
    text = re.sub(f"{_APPLY}({_MARKS}+|_\\([^()]*\\)|) *", r"\1 ", text)
    line = re.sub(r" {2,}", " ", text).strip()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)


def _root(found: re.Match) -> str:
    r"""\sqrt[3] has a sign of its own; other orders stand in front, raised."""
    return r"\cbrt" if found[1] == "3" else rf"^{{{found[1]}}}\sqrt"


def _read(token: str, stack: list[_Group]) -> None:
    group = stack[-1]
    if group.opened_by in ("text", "mathrm") and token != "}" and not token.startswith("\\"):
        group.pieces.append((token, False))
    elif token == "{":
        stack.append(_Group(group.waiting[-1][0] if group.waiting else ""))
    elif token == "}":
        if len(stack) > 1 and not stack[-1].environment:
            _close(stack)
    elif token in ("^", "_"):
        group.waiting.append((token, []))
    elif token.isspace():
        if not group.waiting and not (group.pieces and group.pieces[-1][0] in _NO_SPACE_AFTER):
            group.pieces.append((" ", False))
    elif token == "\\\\":
        group.pieces.append(("; ", False))
    elif token == "&":
        group.pieces.append((", " if group.environment == "pmatrix" else " if " if group.environment else "", False))
    elif token[1:].isalpha() and token[1:] in _ARGUMENTS:
        group.waiting.append((token[1:], []))
    else:
        _deliver(_sign(token), False, stack)


def _sign(token: str) -> str:
    if not token.startswith("\\"):
        return token
    name = token[1:]
    return SIGNS.get(name, f"{name}{_APPLY}" if name in _FUNCTIONS else name)


def _close(stack: list[_Group]) -> None:
    group = stack.pop()
    _deliver(_text(group), False, stack)


def _deliver(text: str, quotient: bool, stack: list[_Group]) -> None:
    """Give a piece to what waits for it, else put it down."""
    group = stack[-1]
    while group.waiting:
        name, args = group.waiting[-1]
        args.append(text)
        if len(args) < _ARGUMENTS[name]:
            return
        group.waiting.pop()
        if name in ("begin", "end"):
            _environment(name, args[0], stack)
            return
        text, quotient = _applied(name, args), name == "frac"
    group.pieces.append((text, quotient))


def _environment(name: str, kind: str, stack: list[_Group]) -> None:
    if name == "begin":
        stack.append(_Group(environment=kind))
    elif len(stack) > 1 and stack[-1].environment:
        group = stack.pop()
        inner = (
            re.sub(" +", " ", _text(group))
            .strip()
            .replace(" if otherwise", " otherwise")
            .replace("  ", " ")
            .replace(" ;", ";")
            .replace(" ,", ",")
        )
        opened, closed = ("[", "]") if group.environment == "pmatrix" else ("{", "}")
        _deliver(f"{opened}{inner}{closed}", False, stack)


def _applied(name: str, args: list[str]) -> str:
    text = args[0]
    if name == "frac":
        above = f"({text})" if _loose(text, "+-" + _APPLY) else text
        below = f"({args[1]})" if _loose(args[1], " +-/·⊙") and not args[1].startswith("∂") else args[1]
        return f"{above}/{below}"
    if name in _ACCENTS:
        return (
            unicodedata.normalize("NFC", text + _ACCENTS[name])
            if len(text) == 1
            else "^"
            if not text
            else f"{name}({text})"
        )
    if name in ("^", "_"):
        return _shifted(name, text)
    if name == "operatorname":
        return text + _APPLY
    if name == "cbrt":
        return f"∛{text}" if len(text) == 1 else f"∛({text})"
    if name == "sqrt":
        return f"√{text}" if text.isalnum() else f"√({text})"
    return _BOLD.get((name, text), text)


def _shifted(mark: str, text: str) -> str:
    table = _RAISED if mark == "^" else _LOWERED
    if text == "'" or all(c in table for c in text):
        return "".join(table.get(c, c) for c in text)
    return f"{mark}{text}" if len(text) == 1 else f"{mark}({text})"


def _loose(text: str, signs: str) -> bool:
    """Whether one of the signs stands outside brackets, after the first character."""
    depth, text = 0, re.sub(f"{_APPLY} *\\(", "(", text)
    for i, c in enumerate(text):
        depth += (c in f"([{{{_OPENS}") - (c in f")]}}{_CLOSES}")
        if depth == 0 and c in signs and i:
            return True
    return False


def _text(group: _Group) -> str:
    """The pieces in a row; a quotient that a factor follows is put in brackets."""
    parts: list[str] = []
    pieces = group.pieces
    for i, (text, quotient) in enumerate(pieces):
        if quotient:
            after = next((t.strip() for t, _ in pieces[i + 1 :] if t.strip()), "")
            before = next((t for t, _ in reversed(pieces[:i]) if t.strip()), "")
            if before.endswith(_APPLY) and not text.startswith("∂"):
                text = f"({text})"
            elif after and after[0] not in _OPERATORS and after not in ("if", "otherwise"):
                text = f"{text} ·" if text.startswith("∂") else f"({text})"
        parts.append(text)
    joined = "".join(parts)
    return joined if group.opened_by in ("text", "mathrm") else joined.replace(" , ", ", ")
