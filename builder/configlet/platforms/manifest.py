"""A platform's manifest (``platform.yaml``) to a value, with every mistake named and placed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from configlet.model.gate import Capability
from configlet.model.platform import Kind, Platform
from configlet.model.problem import Place, Problem, Refused, refuse
from configlet.platforms.content import files, find, folders

ORDERED = ("text", "number", "number, highest first")
"""The orders in which the first match decides."""


def load(layers: Sequence[Path], named: Collection[str] | None = None) -> dict[str, Platform]:
    """Every platform of the layers by name, or only those that are named. Raises Refused with all that is wrong in their
    manifests. A name that is no platform has all of them read, so that whoever asked can say what there is."""
    found: dict[str, Platform] = {}
    problems: list[Problem] = []
    known = {path.stem: document(path) for path in files(layers, "kinds", ".yaml")}
    there = list(folders(layers))
    for name in there if named is None or not set(named) <= set(there) else sorted(named):
        path = find(layers, f"{name}/platform.yaml")
        if path is None:
            continue
        try:
            found[name] = platform(name, path, tuple(layers), known)
        except Refused as refused:
            problems.extend(refused.problems)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            problems.extend(_incomplete(path, f"something is missing or of another kind ({error})").problems)
    if problems:
        raise Refused(problems)
    return found


def platform(name: str, path: Path, layers: tuple[Path, ...], known: Mapping[str, Mapping[str, Any]]) -> Platform:
    """One platform from its manifest; ``known`` are the kinds and what each must say. Raises Refused."""
    data = document(path)
    must = ("title", "driver", *(() if data.get("driver") == "none" else ("port",)), "kinds", "sources")
    missing = [key for key in must if not data.get(key)]
    if missing:
        raise _incomplete(path, f"the manifest lacks {', '.join(missing)}")
    strange = [kind for kind in data["kinds"] if kind not in known]
    if strange:
        raise _incomplete(path, f"the kind {', '.join(strange)} is none of {', '.join(sorted(known))}")
    kinds = {kind: _kind(name, kind, said, path, layers, known[kind]) for kind, said in data["kinds"].items()}
    sources = tuple(map(str, data["sources"]))
    return Platform(
        name,
        data["title"],
        data["driver"],
        kinds,
        data.get("refusals", {}),
        sources,
        layers,
        int(data.get("port", 0)),
        "manager" if data.get("through") == "manager" else "management",
        bool(data.get("seen_on_the_real_thing", False)),
    )


def document(path: Path) -> dict[str, Any]:
    """A small YAML file of ours: one mapping. Raises Refused with the parser's place."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
        raise refuse("File that is no YAML", f"{error.problem}. Correct the file.", place) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise refuse("File that is no YAML", f"{error}. Correct the file.", Place(str(path))) from None
    if not isinstance(data, dict):
        raise refuse("File that is no mapping", "It must hold keys and values.", Place(str(path)))
    return data


def _kind(
    name: str,
    kind: str,
    said: Mapping[str, Any],
    path: Path,
    layers: tuple[Path, ...],
    must: Mapping[str, Any],
) -> Kind:
    reader = find(layers, f"{name}/{kind}.reader.yaml")
    encoder = str(said.get("encoder", ""))
    needed = (f"{name}/{kind}.reader.yaml",) if encoder else (f"{name}/{kind}.j2", f"{name}/{kind}.reader.yaml")
    gone = [f for f in needed if find(layers, f) is None]
    if gone or reader is None:
        raise _incomplete(path, f"the kind {kind} lacks the file {', '.join(gone)}")
    record, operands, change, sheet = (said.get(key, {}) for key in ("capability", "operands", "change", "semantics"))
    record = {**_of_sheet(sheet), **record}
    asked = () if encoder else must["operands"]
    for what, data, keys in (("capability record", record, must["record"]), ("operands", operands, asked)):
        missing = [key for key in keys if key not in data]
        if missing:
            raise _incomplete(path, f"the {what} of {kind} lacks {', '.join(missing)}")
    template = "" if encoder else f"{name}/{kind}.j2"
    return Kind(kind, _capability(record), template, reader, operands, change, encoder, sheet)


def cases(platform: Platform) -> tuple[Path, ...]:
    """The platform's case files, nearest layer first by name."""
    return files(platform.search, f"{platform.name}/cases", ".yaml")


def _of_sheet(sheet: Mapping[str, Any]) -> dict[str, Any]:
    """What a semantics sheet says of the capability record."""
    if not sheet:
        return {}
    return {"ordered": sheet["order"]["is"] in ORDERED, "stateful": sheet["state"]["is"] != "none"}


def _capability(record: Mapping[str, Any]) -> Capability:
    return Capability(
        match=tuple(_pairs(record["match"])),
        ordered=bool(record["ordered"]),
        stateful=bool(record["stateful"]),
        families=tuple(record["families"]),
        fragments=tuple(record["fragments"]),
        capacity=int(record["capacity"]),
        log=bool(record["log"]),
        update=str(record["update"]),
        controlled_by=str(record["controlled_by"]),
        blind_to=tuple(record.get("blind_to", ())),
        hardware=tuple((str(model).replace("default", ""), int(n)) for model, n in record.get("hardware", {}).items()),
        groups=tuple(record.get("groups", {}).get("families", ())),
        groups_from=int(record.get("groups", {}).get("from", 1)),
        groups_services=bool(record.get("groups", {}).get("services", True)),
        directions=tuple(record.get("directions", ("in", "out"))),
        mechanism=str(record.get("mechanism", "")),
        drops=bool(record.get("drops", True)),
        observes=bool(record.get("observes", False)),
        tagged=bool(record.get("tagged", True)),
    )


def _pairs(match: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, kinds in match.items():
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            yield str(field), str(kind)


def _incomplete(path: Path, what: str) -> Refused:
    return refuse(
        "Platform that is incomplete", f"Here {what}. Without it nothing can be rendered for it.", Place(str(path))
    )
