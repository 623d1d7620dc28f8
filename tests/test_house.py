"""The house rules that a program can check: layers, sizes, imports, and what must not occur."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "symgrad").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

# Lower to higher; rooms on one line are side by side and do not import each other.
LAYERS = [
    ("errors",),
    ("ir",),
    ("ops",),
    ("frontend",),
    ("passes", "nn"),
    ("lower",),
    ("emit",),
    ("runtime",),
    ("pipeline",),
    ("view",),
    ("api",),
    ("train",),
    ("__init__",),
    ("__main__", "sklearn"),
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
OPTIONAL = {
    "rich",
    "matplotlib",
    "PIL",  # comes with matplotlib
    "sklearn",
    "ziamath",
    "latex2mathml",
    "fast_sugiyama",
    "resvg_py",
    "pygments",
    "pandas",
}
FILE_LINES, TABLE_LINES, FUNCTION_LINES, SHORT_LINES, PARAMETERS, NESTING = 300, 400, 60, 25, 5, 3
HEAVY = {"numba", "llvmlite"}
NOT_NAMES = {"utils", "helpers", "misc", "common", "base"}


def room(module: str) -> str:
    """The room of a dotted module below symgrad, or of a path."""
    parts = module.removesuffix(".py").replace("/", ".").split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Each module that is imported, and the statement. ``from symgrad import x`` is the module symgrad.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            names = (
                [f"symgrad.{alias.name}" for alias in node.names] if node.module == "symgrad" else [node.module or ""]
            )
            yield from ((name, node) for name in names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
    return (node.end_lineno or 0) - first + 1


# Modules of runtime that need Numba as a whole, and so are themselves imported late.
_NUMBA = {
    name.removesuffix(".py").replace("/", ".")
    for name, tree in TREES.items()
    if any(module.split(".")[0] in HEAVY and node in tree.body for module, node in imports(tree))
}


def report(offenders: list[str]) -> None:
    assert not offenders, "\n" + "\n".join(offenders)


def test_lower_rooms_do_not_import_higher_ones():
    found = []
    for name, tree in TREES.items():
        own = room(name)
        for module, node in imports(tree):
            other = room(module)
            if module.split(".")[0] != "symgrad" or other == own:
                continue
            if LEVEL[other] >= LEVEL[own]:
                found.append(f"{name}:{node.lineno} {own} imports {module}")
    report(found)


def test_rooms_are_those_of_the_picture():
    assert {room(name) for name in FILES} <= set(LEVEL)
    assert not [name for name in FILES if set(Path(name).with_suffix("").parts) & NOT_NAMES]


def test_only_runtime_imports_numba():
    report(
        [
            f"{name}:{node.lineno} {module}"
            for name, tree in TREES.items()
            for module, node in imports(tree)
            if module.split(".")[0] in HEAVY and room(name) != "runtime"
        ]
    )


def test_local_imports_serve_numba_and_extras_only():
    found = []
    for name, tree in TREES.items():
        top = set(map(id, _top_statements(tree)))
        for module, node in imports(tree):
            heavy = room(name) == "runtime" and (module in _NUMBA or module.split(".")[0] in HEAVY)
            if id(node) not in top and not heavy and module.split(".")[0] not in OPTIONAL:
                found.append(f"{name}:{node.lineno} {module}")
    report(found)


def _top_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements of the module itself, those under ``if TYPE_CHECKING`` and ``try`` included."""
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            pending.extend([*node.body, *node.orelse, *getattr(node, "finalbody", ())])
            pending.extend(s for handler in getattr(node, "handlers", ()) for s in handler.body)


def test_import_starts_neither_numba_nor_llvm():
    code = "import sys, symgrad; print(sorted({m.split('.')[0] for m in sys.modules} & {'numba', 'llvmlite'}))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_files_are_short():
    found = []
    for name, path in FILES.items():
        lines = path.read_text(encoding="utf-8").count("\n")
        limit = TABLE_LINES if (ast.get_docstring(TREES[name]) or "").startswith("TABLE") else FILE_LINES
        if lines > limit:
            found.append(f"{name}: {lines} lines, of {limit}")
    report(found)


def test_functions_are_short():
    sizes = {f"{name}:{f.lineno} {f.name}": length(f) for name, tree in TREES.items() for f in functions(tree)}
    report([f"{where}: {size} lines" for where, size in sizes.items() if size > FUNCTION_LINES])
    long = sorted((size, where) for where, size in sizes.items() if size > SHORT_LINES)
    assert len(long) <= len(sizes) / 10, long


def test_functions_take_few_parameters():
    """At most 5, options with defaults not counted; a rule takes what its signature says: (y_bar, y, *xs, **params)."""
    found = []
    for name, tree in TREES.items():
        for f in functions(tree):
            taken = [a.arg for a in [*f.args.posonlyargs, *f.args.args] if a.arg not in ("self", "cls")]
            required = taken[: len(taken) - len(f.args.defaults)]
            if len(required) > PARAMETERS and required[0] not in ("y_bar", "xs_dot"):
                found.append(f"{name}:{f.lineno} {f.name} takes {len(required)}")
    report(found)


def test_nesting_is_shallow():
    found = []
    for name, tree in TREES.items():
        for f in functions(tree):
            depth = nesting(f)
            if depth > NESTING:
                found.append(f"{name}:{f.lineno} {f.name} nests {depth} deep")
    report(found)


def nesting(function: ast.AST) -> int:
    """The deepest block of loops, conditions and the like; ``elif`` is no deeper than its ``if``."""
    deepest = 0
    pending = [(child, 0) for child in ast.iter_child_nodes(function)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue  # counted by itself
        block = isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match))
        deepest = max(deepest, depth + block)
        below = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            below.remove(node.orelse[0])
            pending.append((node.orelse[0], depth))
        pending.extend((child, depth + block) for child in below)
    return deepest


# What a library that reads strangers' text and files must not call, and the places that may, with the reason.
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "lambdify", "sympify", "parse_expr", "breakpoint"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "code", "codeop", "runpy"}
DOCUMENTED = {
    "symgrad/runtime/compiled.py pickle",  # Numba's own entry of the cache, read after its seal was verified
    "symgrad/runtime/load.py __import__()",  # a module that is run without Numba is refused the import of Numba
}


def test_nothing_evaluates_text():
    found = []
    for name, tree in TREES.items():
        own = _defined(tree)  # such as symgrad's own ``compile``
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            called = node.func.id if isinstance(node.func, ast.Name) else f"builtins.{getattr(node.func, 'attr', '')}"
            method = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in (
                "builtins",
                "sympy",
                "sp",
            )
            if called.removeprefix("builtins.") in FORBIDDEN_CALLS - own and not method:
                found.append((f"{name} {called.removeprefix('builtins.')}()", node.lineno))
        found += [(f"{name} {m}", n.lineno) for m, n in imports(tree) if m.split(".")[0] in FORBIDDEN_MODULES]
    report([f"{what} in line {line}" for what, line in found if what not in DOCUMENTED])


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module defines or imports from symgrad at its top."""
    names = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symgrad"):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_to_do(word):
    report([name for name, path in FILES.items() if re.search(rf"\b{word}\b", path.read_text(encoding="utf-8"))])


def test_every_module_says_what_it_is_for():
    report([name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)])


def test_nothing_in_the_library_prints():
    allowed = {"__main__", "train"}
    report(
        [
            f"{name}:{node.lineno}"
            for name, tree in TREES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" and room(name) not in allowed
        ]
    )
