"""The configuration of a simulated Junos switch as a tree: loaded, shown, compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from configlet.lab.parsers.junos_text import Malformed, Statement, words_of
from configlet.lab.switch_junos_schema import Known, resolve

STEP = "    "


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the device says of one statement: a warning or an error, with the word that it stumbled over."""

    message: str
    word: str = ""
    severity: str = "error"


@dataclass(slots=True)
class Node:
    """One statement with what stands in it, by key: its words and its identifier."""

    known: Known
    children: dict[str, Node] = field(default_factory=dict)
    comment: str = ""

    def copy(self) -> Node:
        """An independent copy."""
        return Node(self.known, {key: child.copy() for key, child in self.children.items()}, self.comment)

    def ordered(self) -> list[tuple[str, Node]]:
        """Its statements in the order in which the device shows them: terms as entered, others by their kind."""
        rank = {id(known): number for number, known in enumerate(self.known.inner)}
        return sorted(self.children.items(), key=lambda item: rank.get(id(item[1].known), -1))

    def at(self, *keys: str) -> Node | None:
        """The statement at a path of keys."""
        found: Node | None = self
        for key in keys:
            found = found.children.get(key) if found else None
        return found


@dataclass(slots=True)
class Load:
    """One load into a tree: what was right is in it, what was not is complained of."""

    root: Node
    refuses: object = None
    complaints: list[Complaint] = field(default_factory=list)

    def text(self, statements: Iterable[Statement], node: Node | None = None, path: tuple[str, ...] = ()) -> None:
        """Statements in braces; ``replace:`` and ``delete:`` before one are honoured."""
        node = node or self.root
        for statement in statements:
            if statement.tag == "delete:":
                self.delete([*path, *statement.words])
                continue
            for words in _values(statement.words, statement.members):
                self._put_text(node, statement, words, path)

    def _put_text(self, node: Node, statement: Statement, words: tuple[str, ...], path: tuple[str, ...]) -> None:
        found = resolve(node.known.inner, words)
        if found is None or found[2] != len(words) or (statement.inner is not None) != (found[0].kind == "box"):
            if not (found and found[2] == len(words) and found[0].stays and statement.inner is None):
                self.complaints.append(_stumble(node, words))
                return
        if self._refused([*path, *words], leaf=statement.inner is None):
            return
        known, key, _ = found
        if statement.tag == "replace:":
            node.children.pop(key, None)
        child = _enter(node, known, key)
        child.comment = statement.comment or child.comment
        if statement.inner is not None:
            self.text(statement.inner, child, (*path, *words))

    def lines(self, text: str) -> None:
        """Lines of ``set``, ``delete``, ``edit``, ``top`` and ``annotate``."""
        edit: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            try:
                words = words_of(line, number)
            except Malformed as why:
                self.complaints.append(Complaint("syntax error", why.word))
                continue
            match words:
                case []:
                    pass
                case ["set", *rest]:
                    self.set([*edit, *rest])
                case ["delete", *rest] if rest or edit:
                    self.delete([*edit, *rest])
                case ["edit", *rest]:
                    edit = (*edit, *rest)
                case ["top"]:
                    edit = ()
                case ["annotate", *rest, comment]:
                    self.annotate([*edit, *rest], comment.strip('"'))
                case [word, *_]:
                    self.complaints.append(Complaint("syntax error", word))

    def set(self, words: Sequence[str]) -> None:
        """One path put in; brackets at its end hold several values."""
        if "[" in words:
            at = list(words).index("[")
            if words[-1] != "]" or at + 2 >= len(words):
                self.complaints.append(Complaint("syntax error", "["))
                return
            for value in words[at + 1 : -1]:
                self.set([*words[:at], value])
            return
        steps, node = [], self.root  # type: tuple[list[tuple[Known, str]], Node]
        inner, rest = node.known.inner, tuple(words)
        while rest:
            found = resolve(inner, rest)
            if found is None:
                self.complaints.append(_stumble(Node(Known((), "box", inner=inner)), rest))
                return
            steps.append(found[:2])
            inner, rest = found[0].inner, rest[found[2] :]
        if self._refused(words, leaf=True):
            return
        for known, key in steps:
            node = _enter(node, known, key)

    def delete(self, words: Sequence[str]) -> None:
        """One path taken away; words that stop before a value take all its values."""
        found = self._found(words)
        if found is None:
            self.complaints.append(Complaint("statement not found", " ".join(words), "warning"))
            return
        if self._refused(words, leaf=True):
            return
        node, keys = found
        for key in keys:
            del node.children[key]

    def annotate(self, words: Sequence[str], comment: str) -> None:
        """The comment that is shown before a statement."""
        found = self._found(words)
        if found is None or len(found[1]) != 1:
            self.complaints.append(Complaint("statement not found", " ".join(words)))
        else:
            found[0].children[found[1][0]].comment = comment

    def _found(self, words: Sequence[str]) -> tuple[Node, list[str]] | None:
        node, rest = self.root, tuple(words)
        while rest:
            found = resolve(node.known.inner, rest)
            if found is None:
                keys = [key for key in node.children if key.split()[: len(rest)] == list(rest)]
                return (node, keys) if keys else None
            if found[1] not in node.children:
                return None
            if found[2] == len(rest):
                return node, [found[1]]
            node, rest = node.children[found[1]], rest[found[2] :]
        return None

    def _refused(self, words: Sequence[str], leaf: bool) -> bool:
        """Whether a fault on demand refuses this statement."""
        if leaf and callable(self.refuses) and self.refuses(" ".join(words)):
            self.complaints.append(Complaint("syntax error", words[-1]))
            return True
        return False


def _values(words: tuple[str, ...], members: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(*words, member) for member in members] if members else [words]


def _stumble(node: Node, words: tuple[str, ...]) -> Complaint:
    """The complaint about a statement that is not known: the first word that fits nothing here."""
    known = next((k for k in node.known.inner if k.words and words[: len(k.words)] == k.words), None)
    if known is None:
        return Complaint("syntax error", words[0])
    rest = words[len(known.words) :]
    if known.fits is not None and rest:
        return Complaint(f"invalid value '{rest[0]}' of {' '.join(known.words)}", rest[0])
    return Complaint("syntax error", rest[0] if rest else words[-1])


def _enter(node: Node, known: Known, key: str) -> Node:
    """The child of that key; those that it replaces are gone."""
    if key not in node.children:
        for other, child in list(node.children.items()):
            same = known.kind == "one" and child.known is known
            if same or (known.choice and child.known.choice == known.choice):
                del node.children[other]
        node.children[key] = Node(known)
    return node.children[key]


def tidy(node: Node) -> None:
    """Boxes that hold nothing are gone, as on the device."""
    for key, child in list(node.children.items()):
        tidy(child)
        if child.known.kind == "box" and not child.children and not child.known.stays:
            del node.children[key]


def show(node: Node, depth: int = 0) -> Iterator[str]:
    """The statements of a box as the device prints them."""
    pad, items = STEP * depth, node.ordered()
    done: set[int] = set()
    for key, child in items:
        if child.known.kind == "many":
            if id(child.known) not in done:
                done.add(id(child.known))
                yield f"{pad}{_list(child.known, [k for k, c in items if c.known is child.known])};"
            continue
        yield from _shown(key, child, depth)


def _list(known: Known, keys: list[str]) -> str:
    word = " ".join(known.words)
    values = [key.removeprefix(f"{word} ") for key in keys]
    return f"{word} {values[0]}" if len(values) == 1 else f"{word} [ {' '.join(values)} ]"


def _shown(key: str, child: Node, depth: int) -> Iterator[str]:
    pad = STEP * depth
    if child.comment:
        yield f"{pad}/* {child.comment} */"
    if child.known.kind == "box" and child.children:
        yield f"{pad}{key} {{"
        yield from show(child, depth + 1)
        yield f"{pad}}}"
    else:
        yield f"{pad}{key};"


def compare(old: Node, new: Node, path: tuple[str, ...] = ()) -> Iterator[str]:
    """What ``show | compare`` prints: for each box the statements that go (-), come (+) or move (!)."""
    before, after = dict(old.ordered()), dict(new.ordered())
    own = [f"-{line}" for key in before if key not in after for line in _shown(key, before[key], 1)]
    own += [f"+{line}" for key in after if key not in before for line in _shown(key, after[key], 1)]
    stay, now = ([key for key in one if key in other] for one, other in ((before, after), (after, before)))
    own += [f"!{STEP}{key} {{ ... }}" for was, key in zip(stay, now, strict=True) if was != key]
    for key in stay:
        if before[key].comment != after[key].comment:
            own += [f"-{STEP}/* {before[key].comment} */", f"+{STEP}/* {after[key].comment} */"]
    if own:
        yield f"[edit{''.join(f' {part}' for part in path)}]"
        yield from own
    for key in stay:
        if before[key].children or after[key].children:
            yield from compare(before[key], after[key], (*path, key))
