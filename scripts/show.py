"""What an issue must show, line by line: `make show ISSUE=one-command [LINE=4]`.

ISSUE is the beginning of an issue's title as a slug; the file `tests/show/<slug>.py` holds a function `line_K` for each
line K of its "Must show". Each returns how much was found, how much was wanted, and a few words. Exit status 1 when
a line fell short or could not be shown.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "show"


def main(arguments: list[str]) -> int:
    """Run the lines and say what each found."""
    if not arguments or not arguments[0]:
        return _usage("which issue?")
    files = [path for path in sorted(FOLDER.glob("*-*.py")) if path.stem.startswith(arguments[0])]
    if len(files) != 1:
        return _usage(f"{len(files)} issues begin with {arguments[0]}")
    lines = _lines(files[0])
    wanted = [int(word) for word in arguments[1:]] or sorted(lines)
    unknown = [number for number in wanted if number not in lines]
    if unknown:
        return _usage(f"there is no line {unknown[0]}; there are {sorted(lines)}")
    shown = [_show(number, lines[number]) for number in wanted]
    return 0 if all(shown) else 1


def _usage(why: str) -> int:
    print(f"show: {why}", file=sys.stderr)
    for path in sorted(FOLDER.glob("*-*.py")):
        print(f"  make show ISSUE={path.stem}", file=sys.stderr)
    return 64


def _lines(path: Path) -> dict[int, Callable[[], tuple[int, int, str]]]:
    spec = importlib.util.spec_from_file_location("shown", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"show: {path} cannot be loaded")
    module: Any = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT))
    spec.loader.exec_module(module)
    return {int(name[5:]): value for name, value in vars(module).items() if name.startswith("line_")}


def _show(number: int, line: Callable[[], tuple[int, int, str]]) -> bool:
    started = time.monotonic()
    print(f"show {number}: {(line.__doc__ or '').strip()}", file=sys.stderr, flush=True)
    try:
        found, wanted, words = line()
    except Exception:  # noqa: BLE001 - a line that cannot be shown is short, and the others are still shown
        traceback.print_exc()
        found, wanted, words = 0, 1, "could not be shown"
    print(f"show {number}: {found} of {wanted}  {words} ({time.monotonic() - started:.1f} s)", flush=True)
    return found >= wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
