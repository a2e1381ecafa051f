"""Words of rules, understood: selectors, services, and the rules that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import chain, repeat
from typing import Any

from configlet.model.inventory import RuleLine, Selector, Service, Term
from configlet.model.net import Span
from configlet.model.problem import Place
from configlet.workspace import services
from configlet.workspace.blanks import Blank, column_of, texts_in
from configlet.workspace.document import Document, Part
from configlet.workspace.shape import Run, Stretch

_LISTS = ("from", "to", "service")


class Words:
    """Words of rules, understood: each selector and each service of a site is made once, and so is each list of them
    that was read by a shape, and the list of one alone, which most rules have: what a list means is then looked up by the
    list. A list of several is known by its text, which no name is."""

    def __init__(self, site: str, named: dict[str, Service], ephemeral: Span) -> None:
        self.own, self.ephemeral = f"{site}:", ephemeral
        self._services: dict[str, tuple[Service, ...]] = {name: (service,) for name, service in named.items()}
        self._selectors: dict[str | tuple[tuple[str, str], ...], tuple[Selector, ...]] = {}

    def selectors(self, values: list[Any], place: Place) -> tuple[Selector, ...]:
        """The selectors of a list."""
        if len(values) == 1:
            value = values[0]
            return (type(value) is str and self._selectors.get(value)) or self._selector(value, place)
        return tuple([self._selector(value, place)[0] for value in values])

    def services(self, words: list[str], place: Place) -> tuple[Service, ...]:
        """The services of a list."""
        if len(words) == 1:
            return self._services.get(words[0]) or self._service(words[0], place)
        return tuple([self._service(word, place)[0] for word in words])

    def meet(self, sources: Iterable[str], destinations: Iterable[str], terms: Iterable[str], places: Iterable[Place]) -> None:
        """Make what the lists of rules mean, by their texts, where it is not known."""
        ends, services = self._selectors, self._services
        for source, destination, text, place in zip(sources, destinations, terms, places, strict=True):
            if source not in ends:
                ends[source] = self.selectors(texts_in(source), place)
            if destination not in ends:
                ends[destination] = self.selectors(texts_in(destination), place)
            if text not in services:
                services[text] = self.services(texts_in(text), place) if '","' in text else (self._other(text, place),)

    def known(
        self, sources: Iterable[str], destinations: Iterable[str], terms: Iterable[str]
    ) -> tuple[Iterator[tuple[Selector, ...]], Iterator[tuple[Selector, ...]], Iterator[tuple[Service, ...]]]:
        """What the lists of rules mean, by their texts, when all of them were met."""
        ends = self._selectors.__getitem__
        return map(ends, sources), map(ends, destinations), map(self._services.__getitem__, terms)

    def _selector(self, value: str | dict[str, str], place: Place) -> tuple[Selector, ...]:
        """A selector; the site's own name before a colon is dropped."""
        key = value if isinstance(value, str) else tuple(sorted(value.items()))
        found = self._selectors.get(key)
        if found is None:
            name = key.removeprefix(self.own) if isinstance(key, str) else None
            found = self._selectors[key] = (Selector(name, () if isinstance(key, str) else key, place),)
        return found

    def _service(self, word: str, place: Place) -> tuple[Service, ...]:
        """A service by name, or as a literal."""
        found = self._services.get(word)
        if found is None:
            found = self._services[word] = (self._other(word, place),)
        return found

    def _other(self, word: str, place: Place) -> Service:
        if word == "any":
            return Service("any", (Term(None),), None)
        if "/" in word or services.is_literal(word):
            return Service(word, (services.term(word, self.ephemeral),), place)
        return Service(word, (), place)


def rules_of(document: Document, key: str, words: Words) -> tuple[RuleLine, ...]:
    """The rules of a section, in order."""
    return tuple(chain.from_iterable([rules for part in document.parts.get(key, ()) for rules in _of_part(part, key, words)]))


def _of_part(part: Part, key: str, words: Words) -> Iterator[Iterable[RuleLine]]:
    if key not in part.stretches or any(_is_no_list(run.shape.form[name]) for run in part.runs(key) for name in _LISTS):
        yield _of_values(part[key], [*part.places(key)], words)
        return
    for stretch in part.stretches[key]:
        yield _of_stretch(stretch, part.file, words)


def _is_no_list(form: Any) -> bool:
    return not isinstance(form, Blank) or form.kind != "texts"


def _of_values(items: list[dict[str, Any]], places: list[Place], words: Words) -> Iterable[RuleLine]:
    """Rules as they were written, worked out key by key, as the columns of a table."""
    sources, destinations, terms = [], [], []
    for value, place in zip(items, places, strict=True):
        sources.append(words.selectors(value["from"], place))
        destinations.append(words.selectors(value["to"], place))
        terms.append(words.services(value["service"], place))
    return _rules(lambda name, without: map(dict.get, items, repeat(name), repeat(without)), sources, destinations, terms, places)


def _of_stretch(stretch: Stretch, file: str, words: Words) -> Iterable[RuleLine]:
    """Rules of some shapes, by what stands in their blanks. Words that are new are met in the order of the file."""
    placed = [run.places(file)[0] for run in stretch.runs]
    lists = [[run.columns[run.shape.form[name].column] for run in stretch.runs] for name in _LISTS]
    sources, destinations, terms = map(stretch.ordered, lists)
    words.meet(sources, destinations, terms, stretch.ordered(placed))
    return stretch.ordered([_of_run(*one, words) for one in zip(stretch.runs, placed, zip(*lists, strict=True), strict=True)])


def _of_run(run: Run, places: list[Place], lists: tuple[tuple[str, ...], ...], words: Words) -> Iterable[RuleLine]:
    form = run.shape.form
    return _rules(lambda name, without: column_of(form.get(name, without), run.columns), *words.known(*lists), places)


def _rules(
    of: Callable[[str, Any], Iterable[Any]],
    sources: Iterable[tuple[Selector, ...]],
    destinations: Iterable[tuple[Selector, ...]],
    terms: Iterable[tuple[Service, ...]],
    places: list[Place],
) -> Iterable[RuleLine]:
    days = of("expires", None)
    expires = repeat(_day(next(days))) if isinstance(days, repeat) else map(_day, days)
    columns = (
        of("name", None), sources, destinations, terms, of("action", "allow"), of("reason", ""), places,
        of("log", False), of("owner", None), of("ticket", None), expires,
    )  # fmt: skip
    return map(tuple.__new__, repeat(RuleLine), zip(*columns))  # noqa: B905 - what is the same in all has no end


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
