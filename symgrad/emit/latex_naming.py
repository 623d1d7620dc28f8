r"""Which LaTeX stands for which node; two different nodes never look alike.

In: names that readers gave (with or without LaTeX), ranks, requests for new names. Out: ``Name`` of a node, or None
for what has to be written out. Invariant: what is shown is injective; the second of two names that would look alike
is quoted, the third numbered. Given LaTeX wins over automatic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

from symgrad.emit.latex_names import Name, as_text, automatic, given, quoted
from symgrad.emit.latex_pieces import Piece
from symgrad.ir.node import Node

ACTIVATIONS = {"sigmoid": "sigmoid_slope", "tanh": "tanh_slope", "relu": "relu_slope"}  # op -> its slope's op
SLOPES = {slope: op for op, slope in ACTIVATIONS.items()}
_LETTERS = ("f", "g", "h", r"\varphi", r"\psi", *(f"f_{{{n}}}" for n in range(1, 100)))
_STEMS = "vuspqrtwz"
_SHORT = 16  # elements of a constant array that is written out


class Naming:
    r"""Names of one derivation or formula.

    >>> from symgrad.frontend.declare import symbol
    >>> naming = Naming()
    >>> [naming.of(symbol(name).node).latex for name in ("yhat", "y_hat", "w0")]
    ['\\hat{y}', '\\mathrm{y\\_hat}', 'w_{0}']
    """

    def __init__(self) -> None:
        self.functions: dict[str, str] = {}  # activation -> the letter that stands for it
        self.arrays: list[Node] = []  # constant arrays that got a letter
        self.by_element = False  # whether arrays are written with indices
        self._shown: dict[Node, Name] = {}
        self._taken: set[str] = set()
        self._counters: dict[str, count] = {}
        self._stem = ""

    def of(self, node: Node) -> Name | None:
        """What stands for the node; variables and long constant arrays are named when first met."""
        found = self._shown.get(node)
        if found is not None or node.op.kind != "leaf":
            return found
        if node.op.name == "variable":
            declared = node["variable"]
            return self.give(node, declared.name, declared.latex)
        if node.op.name == "constant" and _is_long(node):
            self.arrays.append(node)
            return self.put(node, self.fresh("C"))
        return None

    def give(self, node: Node, name: str, latex: str | None = None) -> Name:
        """Name a node after its reader's name.

        Raises:  DeclarationError where given LaTeX has unbalanced braces
        """
        if latex is not None:
            return self.put(node, given(latex, name))
        shown = automatic(name, node.type.rank)
        if shown.latex in self._taken:
            shown = as_text(name)
        for n in count(2):
            if shown.latex not in self._taken:
                break
            shown = Name(rf"{quoted(name)}_{{[{n}]}}", as_text(name).raised)
        return self.put(node, shown)

    def put(self, node: Node, name: Name) -> Name:
        """Let this name stand for the node."""
        self._taken.add(name.latex)
        self._shown[node] = name
        return name

    def alias(self, node: Node, name: Name) -> None:
        """Let a name that already stands for an equal node stand for this one too."""
        self._shown.setdefault(node, name)

    def is_free(self, latex: str) -> bool:
        """Whether nothing looks like this yet."""
        return latex not in self._taken

    def part(self) -> Name:
        r"""A name for a part that has none: v_{1}, v_{2}, ...; another letter where v means something."""
        if not self._stem:
            self._stem = next((c for c in _STEMS if c not in self._taken), _STEMS[0])
        return self.fresh(self._stem)

    def fresh(self, stem: str) -> Name:
        """stem_{1}, stem_{2}, ...: the next that is free."""
        counter = self._counters.setdefault(stem, count(1))
        latex = next(text for text in (f"{stem}_{{{n}}}" for n in counter) if text not in self._taken)
        self._taken.add(latex)
        return Name(latex)

    def first_free(self, candidates: Iterable[str]) -> Name:
        """The first of these that nothing looks like."""
        latex = next(text for text in candidates if text not in self._taken)
        self._taken.add(latex)
        return Name(latex)

    def abstract(self, op: str) -> str:
        """The letter of an activation: f for the first, g for the second, ..."""
        if op not in self.functions:
            free = (c for c in _LETTERS if c not in self._taken and f"{c}_{{1}}" not in self._taken)
            self.functions[op] = self.first_free(free).latex
        return self.functions[op]


Printer = Callable[[Node, list[Piece], Naming], Piece]


def _is_long(node: Node) -> bool:
    shape = node.shape
    return len(shape) > 2 or (len(shape) > 0 and node["value"].array.size > _SHORT)
