"""The one naming authority: which identifier stands for which node, size and temporary.

In: the names that users and passes prefer. Out: ASCII identifiers that shadow nothing an emitted module
uses. Invariant: no user text reaches the source except a name that ``is_safe`` accepts, and what ``display``
has escaped. Names the user gave win; temporaries skip them; the order of asking decides the rest.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count

from symgrad.ir.node import Node
from symgrad.lower.elementary import FUNCTIONS
from symgrad.lower.reduction import FOLDS

LONGEST = 40  # characters of a user's name that is kept
SHOWN = 60  # characters of a user's text in a comment

# What emitted text itself uses. Fixed lists: those of the running Python differ between versions.
_KEYWORDS = (*keyword.kwlist, "match", "case", "type", "print")
_BUILTINS = (
    "abs", "all", "any", "bool", "enumerate", "exit", "float", "getattr", "int", "isinstance", "len", "list", "map",
    "max", "min", "object", "range", "round", "str", "sum", "tuple", "zip", "ArithmeticError", "Exception",
    "ImportError", "IndexError", "OverflowError", "SystemExit", "ValueError", "NotImplemented", "Ellipsis",
)  # fmt: skip
_MODULE = (
    "np", "numpy", "math", "numba", "nb", "symgrad", "njit", "jit", "helper", "inline", "register_jitable", "FLAGS",
    "wraps",
    "fma", "matmul", "select", "f64", "f32", "i64", "i32", "types", "type_callable", "lower_builtin", "prange",
    "forward", "backward", "value", "grad", "value_and_grad", "value_and_gradient", "jvp", "vjp", "hvp", "evaluate",
    "jacobian", "hessian", "train", "main",
)  # fmt: skip
_FUNCTIONS = (
    "dot", "sum", "prod", "mean", "power", "pow", "mod", "sign", "clip", "floor", "ceil", "rint", "trunc", "copysign",
    "sqrt", "arcsin", "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "hypot", "erf", "erfc", "lgamma",
    "gamma", "digamma", "polygamma", "sinc", "sinc_derivative", "relu", "elu", "selu", "gelu", "silu", "mish",
    "softmax",
)  # fmt: skip
RESERVED = frozenset((*_KEYWORDS, *_BUILTINS, *_MODULE, *_FUNCTIONS, *FUNCTIONS))
_VARIANT = re.compile(r"_(fast|wide|f64|\d+)")  # exp_f64, sin_wide, polygamma_2 are functions too
_HELPERS = ("sum_error", "sum_with_error", *(f"fold_{fold.name}" for fold in FOLDS.values()))
_CALLED = frozenset((*_FUNCTIONS, *_HELPERS, *FUNCTIONS))
_LOOPS = ("i", "j", "k")


def is_safe(name: str) -> bool:
    """Whether a user's name may stand in source text as it is.

    >>> is_safe("W2"), is_safe("lambda"), is_safe("x; import os"), is_safe("__builtins__"), is_safe("exp")
    (True, False, False, False, False)
    """
    plain = len(name) <= LONGEST and name.isascii() and name.isidentifier() and not name.startswith("_")
    return plain and not _is_reserved(name)


def _is_reserved(name: str) -> bool:
    return name in RESERVED or _VARIANT.sub("", name) in _CALLED


def display(text: str, limit: int = SHOWN) -> str:
    r"""Any text for a comment: one line of printable ASCII that no reader of the file can take for code.

    >>> display("a\nimport os")
    'a\\nimport os'
    """
    line = text[: limit + 1].encode("unicode_escape").decode("ascii")
    return line if len(line) <= limit else line[: limit - 3].rstrip("\\") + "..."


class Names:
    """Identifiers of one module, or (``scope``) of one function or loop nest in it.

    ``preferred`` maps nodes to the names that users, or the reverse sweep, gave them; ``sizes`` are the names
    of symbolic sizes; ``reserved`` are further taken names (functions of the program). An unsafe name becomes
    v0, v1, ...; the second node of one name x becomes x_2.

    >>> names = Names({}, sizes=("n", "i"))
    >>> names.fresh("i"), names.fresh("t"), names.fresh("t"), names.size("n")
    ('j', 't0', 't1', 'n')
    """

    def __init__(
        self, preferred: Mapping[Node, str] | None = None, sizes: Iterable[str] = (), reserved: Iterable[str] = ()
    ) -> None:
        self.legend: dict[str, str] = {}  # identifier -> the user's text it replaces
        self._parent: Names | None = None
        self._taken = set(reserved)
        self._sizes: dict[str, str] = {}
        self._nodes: dict[Node, str] = {}
        self._stems: dict[str, Iterator[str]] = {}
        wanted: list[tuple[dict, object, str]] = [(self._sizes, name, name) for name in dict.fromkeys(sizes)]
        wanted += [(self._nodes, node, name) for node, name in (preferred or {}).items()]
        later = [request for request in wanted if not self._keep(*request)]
        for table, key, name in later:
            table[key] = self._replace(name)

    def _keep(self, table: dict, key: object, name: str) -> bool:
        """Give the name as it is, if that is possible."""
        kept = is_safe(name) and not self._is_taken(name)
        if kept:
            table[key] = name
            self._taken.add(name)
        return kept

    def _replace(self, name: str) -> str:
        stem = f"{name}_" if is_safe(name) and len(name) < LONGEST - 4 else ""
        identifier = self._first_free(f"{stem}{n}" for n in count(2)) if stem else self.fresh("v")
        self.legend[identifier] = name
        return identifier

    def of(self, node: Node) -> str | None:
        """The identifier of a node that has a preferred name."""
        return self._root()._nodes.get(node)

    def adopt(self, node: Node, wanted: str) -> str:
        """The identifier of a node, now with this preferred name if it had none."""
        return self._lookup(self._root()._nodes, node, wanted)

    def share(self, node: Node, like: Node) -> None:
        """Give a node the identifier of another one, which never stands in the same function."""
        nodes = self._root()._nodes
        if like in nodes:
            nodes.setdefault(node, nodes[like])

    def size(self, name: str) -> str:
        """The identifier of a symbolic size."""
        return self._lookup(self._root()._sizes, name, name)

    def _lookup(self, table: dict, key: object, wanted: str) -> str:
        if key not in table and not self._keep(table, key, wanted):
            table[key] = self._replace(wanted)
        self._root()._taken.add(table[key])
        return table[key]

    def fresh(self, stem: str) -> str:
        """A new name: "i" gives i, j, k, i1, ...; "t" and "v" t0, t1, ...; another stem itself, then stem1, ..."""
        if stem not in self._stems:
            self._stems[stem] = _sequence(stem)
        return self._first_free(self._stems[stem])

    def scope(self) -> Names:
        """Names within these whose counters start anew, for a function or a loop nest; siblings may share names."""
        inner = Names()
        inner._parent = self
        inner.legend = self.legend
        return inner

    def _root(self) -> Names:
        names = self
        while names._parent is not None:
            names = names._parent
        return names

    def _is_taken(self, name: str) -> bool:
        names: Names | None = self
        while names is not None:
            if name in names._taken:
                return True
            names = names._parent
        return False

    def _first_free(self, candidates: Iterable[str]) -> str:
        found = next(c for c in candidates if not _is_reserved(c) and not self._is_taken(c))
        self._taken.add(found)
        return found


def _sequence(stem: str) -> Iterator[str]:
    if stem == "i":
        return chain(_LOOPS, (f"i{n}" for n in count(1)))
    if stem in ("t", "v"):
        return (f"{stem}{n}" for n in count())
    return chain((stem,), (f"{stem}{n}" for n in count(1)))
