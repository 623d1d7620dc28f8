r"""A reader's name as LaTeX.

In: the name of a variable or of a node, and its rank. Out: LaTeX in which no character of the name is active.

The rule for digits at the end: where rank >= 1 they count layers, ``W2`` is W^{(2)}; a scalar's are an index, ``w2``
is w_{2}. ``yhat`` and ``y_hat`` are \hat{y}, ``x_bar`` is \bar{x}, ``x_i`` is x_{i}, Greek names are Greek letters;
any other word is upright, and any other text is quoted character by character.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from symgrad.errors import DeclarationError
from symgrad.ir.show import printable

LONGEST = 60  # characters of a name that are shown

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_WORDS = ("that", "what", "chat")  # English, no accents
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot"}
# What a quoted character is in mathematics; each is a command of plain LaTeX, KaTeX and MathJax alike.
_QUOTED = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_",
    "^": r"\hat{}", "~": r"\sim ", "<": "{<}", ">": "{>}",
}  # fmt: skip
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;!?()[]+-*/=|@'\"")
_LAYER = re.compile(r"([A-Za-z]+?)_?([0-9]{1,4})")
_INDEXED = re.compile(r"([A-Za-z]+)_([A-Za-z]+|[0-9]{1,4})")
_PIECE = re.compile(r"\\(text|mathrm)\{([^{}\\]|\\_)*\}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Name:
    """LaTeX of a name; ``raised`` where it has a superscript, so that a power or a transpose needs parentheses."""

    latex: str
    raised: bool = False


def automatic(name: str, rank: int) -> Name:
    r"""How a name is written when its owner did not say.

    >>> [automatic(n, 2).latex for n in ("W1", "yhat", "theta", "loss")]
    ['W^{(1)}', '\\hat{y}', '\\theta', '\\mathrm{loss}']
    >>> [automatic(n, 0).latex for n in ("w1", "x_bar", "x_i", "100%")]
    ['w_{1}', '\\bar{x}', 'x_{i}', '\\text{100}\\%']
    """
    base = _base(name)
    if base is not None:
        return Name(base)
    layer = _LAYER.fullmatch(name)
    stem = _base(layer[1]) if layer else None
    if layer and stem is None and layer[1].isalpha():
        stem = rf"\mathrm{{{layer[1]}}}"
    if layer and stem is not None and len(name) <= LONGEST:
        number = layer[2]
        return Name(f"{stem}^{{({number})}}", True) if rank else Name(f"{stem}_{{{number}}}")
    indexed = _INDEXED.fullmatch(name)
    stem = _base(indexed[1]) if indexed else None
    if indexed and stem is not None and len(name) <= LONGEST:
        return Name(f"{stem}_{{{_base(indexed[2]) or _upright(indexed[2])}}}")
    return as_text(name)


def as_text(name: str) -> Name:
    r"""A name as text; one of several pieces needs parentheses before a power: (\text{100}\%)^{2}."""
    latex = quoted(name)
    return Name(latex, _PIECE.fullmatch(latex) is None)


def _base(word: str) -> str | None:
    """One letter, a Greek name, or either with an accent; None for anything else."""
    if len(word) == 1 and word.isascii() and word.isalpha():
        return word
    if word in GREEK:
        return rf"\{word}"
    if len(word) == 1 and _greek_letter(word):
        return rf"\{_greek_letter(word)}"
    for accent, command in ACCENTS.items():
        stem = word.removesuffix(accent).removesuffix("_")
        if stem == word or word in _WORDS:
            continue
        if stem in GREEK or (len(stem) == 1 and stem.isascii() and stem.isalpha()):
            return f"{command}{{{stem if len(stem) == 1 else chr(92) + stem}}}"
    return None


def _greek_letter(letter: str) -> str | None:
    words = unicodedata.name(letter, "").split()
    if len(words) == 4 and words[0] == "GREEK" and words[2] == "LETTER":
        name = words[3].lower() if words[1] == "SMALL" else words[3].capitalize()
        name = {"lamda": "lambda", "Lamda": "Lambda"}.get(name, name)
        return name if name in GREEK else None
    return None


def _upright(word: str) -> str:
    return word if word.isdigit() else rf"\mathrm{{{word}}}"


def quoted(text: str) -> str:
    r"""Any text as LaTeX that shows it: letters upright, every active character as the sign that it is.

    >>> quoted(r"\input{x}")
    '\\backslash \\text{input}\\{\\text{x}\\}'
    """
    shown = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    if _WORD.fullmatch(shown):
        return r"\mathrm{" + shown.replace("_", r"\_") + "}"
    parts: list[str] = []
    for run in re.findall(r"[\\{}$%#&_^~<>]|[^\\{}$%#&_^~<>]+", _visible(shown)):
        parts.append(_QUOTED.get(run, rf"\text{{{run}}}"))
    return "".join(parts)


def _visible(text: str) -> str:
    """Control, invisible and lone surrogate characters as their escapes; other letters as they are."""
    return "".join(c if c in _PLAIN or (ord(c) > 127 and c.isprintable()) or c in _QUOTED else _escape(c) for c in text)


def _escape(c: str) -> str:
    return "'" if c == "`" else c.encode("unicode_escape").decode("ascii")


def given(latex: str, name: str) -> Name:
    """LaTeX that the owner of a name wrote: trusted, but its braces must balance.

    Raises:  DeclarationError where they do not
    """
    depth, raised, escaped = 0, False, False
    for c in latex:
        depth += 0 if escaped else {"{": 1, "}": -1}.get(c, 0)
        raised = raised or (c in "^'" and depth == 0 and not escaped)
        escaped = c == "\\" and not escaped
        if depth < 0:
            break
    if depth or escaped or not latex.strip():
        raise DeclarationError(
            f"the LaTeX of {printable(name)} does not have balanced braces", ("latex", printable(latex))
        )
    return Name(latex, raised)
