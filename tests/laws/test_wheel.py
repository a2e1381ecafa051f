"""What is built is what works: the wheel, alone in an environment of its own, makes a workspace and checks it.

No network is needed: the wheel is installed without its dependencies, and a path file lends it those of the
environment that runs the tests. Only `configlet` itself comes from the wheel, and that is asserted.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-11-24"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a release is: source archive first, wheel from that."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bin_of(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds nothing but the wheel, and what it borrows."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = (folder / "lib").glob("python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    borrowed = [p for p in Path(sysconfig.get_path("purelib")).iterdir() if "configlet" not in p.name]
    shelf = folder / "borrowed"
    shelf.mkdir()
    for path in borrowed:
        if path.suffix != ".pth":
            (shelf / path.name).symlink_to(path)
    (packages / "borrowed.pth").write_text(f"{shelf}\n")
    script = folder / "bin" / "configlet"
    script.write_text(
        f"#!{folder}/bin/python\nimport sys\nfrom configlet.cli import main\nif __name__ == '__main__':\n"
        "    sys.exit(main())\n"
    )
    script.chmod(0o755)
    return script.parent


def run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments], cwd=cwd, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )


def tree(folder: Path) -> Iterator[str]:
    return (str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".gitkeep")


def test_the_wheel_holds_all_content_and_nothing_of_the_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("configlets", "inventory", "playbooks"):
        tracked = {f"configlet/_stock/{folder}/{name}" for name in tree(ROOT / folder)}
        assert tracked, folder
        assert tracked <= names
    assert {str(p.relative_to(ROOT / "builder")) for p in (ROOT / "builder").rglob("*.py")} <= names
    assert "configlet/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "configlets", "builder"))]


def test_the_wheel_names_its_command_and_its_drivers(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
    text = archive.read(name).decode()
    assert "configlet = configlet.__main__:entry" in text
    assert "[configlet.drivers]" in text and "eos = " in text and "nftables = " in text


def test_the_installed_package_is_the_one_that_runs(bin_of: Path, tmp_path: Path) -> None:
    code = "import configlet, configlet.platforms.content as c; print(configlet.__file__); print(c.stock())"
    ended = run(bin_of / "python", "-c", code, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert all(line.startswith(str(bin_of.parent)) for line in ended.stdout.splitlines())
    assert str(ROOT) not in ended.stdout


def test_a_new_workspace_made_by_the_wheel_is_checked_and_proven(bin_of: Path, tmp_path: Path) -> None:
    made = run(bin_of / "configlet", "init", "mine", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    ended = run(bin_of / "configlet", "check", "dc1", "--at", DAY, cwd=tmp_path / "mine")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("check: ok\n")


def test_the_wheel_renders_the_same_bytes_as_the_checkout(bin_of: Path, tmp_path: Path) -> None:
    run(bin_of / "configlet", "init", "mine", cwd=tmp_path)
    theirs = run(bin_of / "configlet", "render", "dc1", "--at", DAY, cwd=tmp_path / "mine")
    ours = subprocess.run(
        [sys.executable, "-P", "-m", "configlet", "render", "dc1", "--at", DAY],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "builder")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (theirs.returncode, ours.returncode) == (0, 0), theirs.stderr + ours.stderr
    assert theirs.stdout == ours.stdout and "==> leaf1.eos.acl <==" in ours.stdout
