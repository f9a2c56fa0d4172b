"""The import rule: rings import downwards only, and the cheap modules stay cheap.

The rings (see docs/architecture.md) are proved on the syntax trees of all modules, so an
import inside a function or under `TYPE_CHECKING` counts like any other.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

PACKAGE = Path(__file__).parents[1] / "fakedove"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

#: What each part may import of the others. A door, and nothing else, may import everything.
BELOW = {
    "plan": set[str](),
    "errors": set[str](),
    "wire": {"errors"},
    "dovecot": {"errors", "wire"},
    "double": {"plan", "errors", "wire", "dovecot"},
    "sessions": {"plan", "errors", "wire", "dovecot", "double"},
    "net": {"plan", "errors", "wire"},
}
DOORS = {
    *("__main__", "certificates", "cli", "client", "config", "configured", "contract"),
    *(
        "execute_blocks",
        "fake",
        "guest",
        "live",
        "patterns",
        "premises",
        "program_client",
        "pytest_plugin",
        "pytest_tracebacks",
        "reception",
        "stub_settings",
        "sync",
        "witness",
    ),
}

#: What nothing that is plain and synchronous may touch: I/O, clocks, chance, threads.
IMPURE = {
    *("anyio", "asyncio", "click", "cryptography", "trio", "trustme"),
    *("select", "selectors", "signal", "socket", "socketserver", "ssl", "subprocess"),
    *("concurrent", "multiprocessing", "sched", "threading", "time"),
    *("secrets", "tempfile", "uuid"),
}
FORBIDDEN = {
    "plan": {*IMPURE, "os", "pathlib"},
    "errors": {*IMPURE, "os", "pathlib"},
    "wire": {*IMPURE, "datetime", "os", "pathlib"},
    "dovecot": IMPURE,
    "double": IMPURE,
    "sessions": {*IMPURE, "os", "pathlib"},
    "net": {"anyio", "asyncio", "click"},
}
#: The one class whose business it is to know the time; all others are handed one of it.
CLOCK = "fakedove.dovecot.clock"
ALLOWED = {CLOCK: {"time"}, "fakedove.dovecot.variables.braced_ciphers": {"cryptography"}}


def imported_names(module: str) -> Iterator[str]:
    """Yield the dotted name of everything that `module` imports, wherever it does so."""
    for node in ast.walk(ast.parse(MODULES[module].read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(module: str) -> set[str]:
    """Return the modules of this package that `module` imports."""
    inner = [name for name in imported_names(module) if name.split(".")[0] == "fakedove"]
    return {name if name in MODULES else name.rpartition(".")[0] for name in inner} - {module}


def part_of(module: str) -> str:
    """Return the name below `fakedove` that a module belongs to; "" is the package itself."""
    return ".".join(module.split(".")[1:2])


def test_every_module_belongs_to_a_ring() -> None:
    parts = {part_of(module) for module in MODULES}
    assert parts - BELOW.keys() - DOORS - {""} == set()


@pytest.mark.parametrize("part", BELOW)
def test_imports_go_only_downwards(part: str) -> None:
    upwards = [
        f"{module} imports {target}"
        for module in MODULES
        if part_of(module) == part
        for target in sorted(imported_modules(module))
        if part_of(target) not in {part, *BELOW[part]}
    ]
    assert upwards == []


def test_nothing_inside_imports_what_the_package_exports() -> None:
    """Its names are looked up lazily, in the doors, so that would be a hidden circle."""
    assert [module for module in MODULES if "fakedove" in imported_modules(module)] == []


def test_no_module_imports_itself_through_others() -> None:
    graph = {module: imported_modules(module) for module in MODULES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("part", FORBIDDEN)
def test_plain_rings_have_no_io_clock_or_chance(part: str) -> None:
    impure = [
        f"{module} imports {name}"
        for module in MODULES
        if part_of(module) == part
        for name in imported_names(module)
        if name.split(".")[0] in FORBIDDEN[part] - ALLOWED.get(module, set())
    ]
    assert impure == []


@pytest.mark.parametrize("part", ["wire", "dovecot", "double", "sessions"])
def test_plain_rings_ask_no_clock(part: str) -> None:
    """`datetime` is for writing dates; what time it is, is handed in."""
    asked = [
        f"{module}:{node.lineno}"
        for module in MODULES
        if part_of(module) == part and module != CLOCK
        for node in ast.walk(ast.parse(MODULES[module].read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if ast.unparse(node.value).split(".")[-1] in {"datetime", "date"}
    ]
    assert asked == []


@pytest.mark.parametrize("part", ["wire", "dovecot", "double", "sessions"])
def test_plain_rings_draw_from_no_global_source(part: str) -> None:
    """Of `random` only the class `Random`: a source of chance is handed in, as a clock is."""
    drawn = [
        f"{module}:{node.lineno} {ast.unparse(node)}"
        for module in MODULES
        if part_of(module) == part
        for node in ast.walk(ast.parse(MODULES[module].read_bytes()))
        if _is_global_chance(node)
    ]
    assert drawn == []


def _is_global_chance(node: ast.AST) -> TypeGuard[ast.Attribute | ast.ImportFrom]:
    match node:
        case ast.ImportFrom(module="random", names=names):
            return any(alias.name != "Random" for alias in names)
        case ast.Attribute(value=ast.Name(id="random" | "random_module"), attr=name):
            return name != "Random"
    return False


def test_click_is_for_the_command_line_alone() -> None:
    users = [module for module in MODULES if "click" in set(map(_root, imported_names(module)))]
    assert {part_of(module) for module in users} <= {"cli"}


def _root(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("module", ["fakedove", "fakedove.pytest_plugin"])
def test_importing_it_is_cheap(module: str) -> None:
    if module not in MODULES:
        pytest.skip(f"{module} does not exist")
    code = f"import {module}, sys; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    loaded = set(run.stdout.split())
    assert module in loaded
    assert loaded & {"click", "cryptography", "ssl", "trio", "trustme"} == set()


def test_the_rule_sees_imports_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof of the proof: the walk finds a hidden import and a circle."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("def late():\n    from fakedove.wire import second\n")
    second.write_text("import fakedove.wire.first as first\n")
    monkeypatch.setitem(MODULES, "fakedove.wire.first", first)
    monkeypatch.setitem(MODULES, "fakedove.wire.second", second)
    assert imported_modules("fakedove.wire.first") == {"fakedove.wire.second"}
    with pytest.raises(pytest.fail.Exception, match=r"fakedove\.wire\.(first|second) <- "):
        test_no_module_imports_itself_through_others()
