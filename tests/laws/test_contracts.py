"""The shape holds: import contracts, no heavy import at the top of a light module, files and functions to be read."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from configlet import drivers
from configlet.drivers import OURS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "builder" / "configlet"
HEAVY = {
    "asyncssh", "cryptography", "jinja2", "napalm", "netmiko", "paramiko", "pyeapi", "pyroute2", "rich", "ruamel",
}  # fmt: skip
LIGHT = ("cli", "model", "packets", "pipeline", "place", "fit", "rules", "prove", "plan", "workspace", "platforms")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(package: str = "") -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((SOURCE / package).rglob("*.py")):
        yield path, parsed(path)


def imported_at_the_top(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_the_import_contracts_hold() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    ended = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": "builder", "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_forbidden_import_is_noticed(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(SOURCE, tmp_path / "builder" / "configlet", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "builder" / "configlet" / "model" / "planted.py").write_text("import configlet.packets\n")
    (tmp_path / "builder" / "configlet" / "push" / "planted.py").write_text("import socket\n")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    ended = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": "builder", "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "configlet.model.planted -> configlet.packets" in ended.stdout
    assert "configlet.push.planted -> socket" in ended.stdout


@pytest.mark.parametrize("package", LIGHT)
def test_light_packages_import_nothing_heavy_at_their_top(package: str) -> None:
    found = {
        (path.name, name)
        for path, tree in modules(package)
        for name in imported_at_the_top(tree)
        if name in HEAVY
    }
    assert not found


def test_files_are_a_page_or_three_and_functions_can_be_read_at_a_glance() -> None:
    long_files = {str(p.relative_to(ROOT)) for p in SOURCE.rglob("*.py") if len(p.read_text().splitlines()) > 400}
    long_functions = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno > 55
    }
    assert not long_files
    assert not long_functions


BIG = {"napalm", "netmiko", "pyeapi"}
"""Libraries whose modules import each other in circles."""
OF_NAPALM = {"napalm.ios", "napalm.nxos_ssh"}
"""Those that import netmiko."""


def imported_late(module: str, seen: set[str]) -> Iterator[str]:
    """The big libraries that a driver's module, or one of ours that it uses, imports when it connects."""
    if module in seen:
        return
    seen.add(module)
    tree = ast.parse((SOURCE / f"{module.removeprefix('configlet.').replace('.', '/')}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module == "configlet.drivers":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            if name.startswith("configlet.drivers."):
                yield from imported_late(name, seen)
            elif name.partition(".")[0] in BIG:
                yield name.partition(".")[0]


@pytest.mark.parametrize("driver", entry_points(group="configlet.drivers"), ids=lambda driver: driver.name)
def test_a_driver_names_the_libraries_that_it_imports_when_it_connects(driver: EntryPoint) -> None:
    libraries = set(driver.load().libraries)
    named = {library.partition(".")[0] for library in libraries} | ({"netmiko"} if libraries & OF_NAPALM else set())
    needed = set(imported_late(driver.module, set()))
    assert needed and needed <= named


def test_our_own_drivers_are_those_that_our_package_offers() -> None:
    offered = {e.name: e.value for e in entry_points(group="configlet.drivers")}
    assert {name: f"configlet.drivers.{where}" for name, where in OURS.items()} == offered
    assert drivers.names() == offered.keys()


def test_platform_folders_hold_no_python() -> None:
    assert not list((ROOT / "configlets").rglob("*.py"))
    assert list((ROOT / "configlets").rglob("platform.yaml"))
