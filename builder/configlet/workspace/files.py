"""The operator's folders: finding the workspace, its sites, and one site's files joined into one document."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configlet.model.problem import Place, Problem, refuse
from configlet.workspace.schema import INVENTORY, LISTS
from configlet.workspace.strict import BYTES, Node, read
from configlet.workspace.suggest import did_you_mean


def find_root(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds ``inventory/``. Raises Refused when there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "inventory").is_dir():
            return folder
    raise refuse(
        "No workspace",
        f"Neither {start} nor a folder above it holds `inventory/`. Go to your workspace, or make one: configlet init DIR.",
    )


def sites(root: Path) -> tuple[str, ...]:
    """The names of the sites of a workspace, sorted; empty when there are none."""
    folder = root / "inventory"
    if not folder.is_dir():
        return ()
    return tuple(sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")))


def read_site(root: Path, site: str) -> tuple[Node | None, tuple[Problem, ...], tuple[Problem, ...]]:
    """The joined document of a site, its complaints and warnings. Raises Refused when there is no such site."""
    known = sites(root)
    if site not in known:
        listed = f"Sites here: {', '.join(known)}." if known else "There is no site here."
        raise refuse("Unknown site", f"There is no folder inventory/{site}.{did_you_mean(site, known)} {listed}")
    problems: list[Problem] = []
    warnings: list[Problem] = []
    nodes: list[Node] = []
    for path in _walk(root / "inventory" / site, root, problems, warnings):
        node, wrong = _read(path, path.relative_to(root).as_posix())
        problems += wrong
        nodes += [node] if node else []
    if not nodes and not problems:
        problems.append(Problem("Empty site", "The folder holds no *.yaml file.", Place(f"inventory/{site}")))
    document, unjoined = _join(nodes)
    problems += unjoined
    return (None if problems else document), tuple(problems), tuple(warnings)


def _walk(folder: Path, root: Path, problems: list[Problem], warnings: list[Problem]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        place = Place(path.relative_to(root).as_posix())
        if path.suffix not in (".yaml", ".yml") and not path.is_dir():
            continue
        if path.name.startswith("."):
            warnings.append(
                Problem("Hidden file", "A name that begins with a dot is not read.", place, severity="warning")
            )
        elif path.is_symlink() and path.is_dir():
            detail = "A link to a folder is not followed, as it can lead anywhere. Put the files here."
            problems.append(Problem("Linked folder", detail, place))
        elif path.is_dir():
            yield from _walk(path, root, problems, warnings)
        elif path.suffix == ".yml":
            problems.append(Problem("Wrong suffix", "Only *.yaml files are read. Rename or remove this one.", place))
        else:
            yield path


def _read(path: Path, file: str) -> tuple[Node | None, tuple[Problem, ...]]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None, (Problem("Not a file", "Only plain files are read. Remove it.", Place(file)),)
        if status.st_size > BYTES:
            return None, (Problem("File too large", "A file may have 64 MB at most. Split it.", Place(file)),)
        return read(path.read_bytes(), file)
    except OSError as error:
        return None, (Problem("Unreadable file", f"It cannot be read: {error.strerror}.", Place(file)),)


def _join(files: list[Node]) -> tuple[Node | None, list[Problem]]:
    problems: list[Problem] = []
    found: dict[str, list[tuple[Node, Node]]] = {}
    for file in files:
        assert isinstance(file.members, dict)
        for key, node in file.members.items():
            if key == "tier":
                problems += _tier_problems(node)
            else:
                found.setdefault(key, []).append((file, node))
    members: dict[str, Node] = {}
    for key, parts in found.items():
        members[key], wrong = _joined(key, parts)
        problems += wrong
    if not files:
        return None, problems
    value = {key: node.value for key, node in members.items()}
    first = files[0]
    return Node(value, first.file, 1, 1, 1, 1, members), problems


def _tier_problems(node: Node) -> list[Problem]:
    if type(node.value) is int and 0 <= node.value <= 1_000_000:
        return []
    return [Problem("Wrong tier", "A tier is a number from 0 to 1000000, lower first.", node.value_place)]


def _joined(key: str, parts: list[tuple[Node, Node]]) -> tuple[Node, list[Problem]]:
    if len(parts) == 1:
        return parts[0][1], []
    kind = list if key in LISTS else dict
    odd = next((node for _, node in parts if not isinstance(node.value, kind)), None)
    if odd is not None or key not in INVENTORY:
        return odd or parts[0][1], []
    return _joined_lists(key, parts) if kind is list else _joined_maps(key, [node for _, node in parts])


def _joined_maps(key: str, parts: list[Node]) -> tuple[Node, list[Problem]]:
    problems: list[Problem] = []
    members: dict[str, Node] = {}
    for part in parts:
        assert isinstance(part.members, dict)
        for name, node in part.members.items():
            if name in members:
                detail = f"`{name}` of `{key}` stands in two files, so that one of them would be lost. Remove one."
                problems.append(Problem("Duplicate key", detail, node.place, (members[name].place,)))
            members.setdefault(name, node)
    value = {name: node.value for name, node in members.items()}
    return parts[0]._replace(value=value, members=members), problems


def _joined_lists(key: str, parts: list[tuple[Node, Node]]) -> tuple[Node, list[Problem]]:
    tiers: dict[Any, Node] = {}
    problems: list[Problem] = []
    for file, node in parts:
        assert isinstance(file.members, dict)
        tier = file.members.get("tier")
        if tier is None:
            detail = f"`{key}` stands in several files, and its order matters. Add a distinct `tier: 10` to each."
            problems.append(Problem("No tier", detail, node.place))
        elif tier.value in tiers:
            detail = f"Two files with `{key}` have tier {tier.value}, so that their order is open. Change one."
            problems.append(Problem("Same tier", detail, tier.place, (tiers[tier.value].place,)))
        else:
            tiers[tier.value] = node
    if problems:
        return parts[0][1], problems
    ordered = [tiers[tier] for tier in sorted(tiers)] if all(type(tier) is int for tier in tiers) else []
    value = [item for node in ordered for item in node.value]
    members = [item for node in ordered for item in node.members or [] if isinstance(item, Node)]
    return parts[0][1]._replace(value=value, members=members), []
