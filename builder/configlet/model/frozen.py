"""``@dataclass(frozen=True, slots=True)``, made with a fifth of the standard library's work.

A command imports more than a hundred such classes, and the library compiles six functions for each of them. Here one is
compiled, the constructor; the others are the same for all. What a class is asked for (``fields``, ``replace``, ``asdict``,
patterns, pickles) is what the library gives: it still makes the fields.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - mypy --strict exports a name only so
else:
    from operator import attrgetter
    from reprlib import recursive_repr

    _MISSING = dataclasses.MISSING

    def dataclass(*, frozen, slots):
        """A class of values that nobody can change. Only for classes without a base, with plain fields."""
        assert frozen and slots
        return _made

    def _made(cls):
        assert not any(map(dataclasses.is_dataclass, cls.__bases__))
        found = dataclasses.fields(dataclasses.dataclass(init=False, repr=False, eq=False)(cls))
        names = tuple(field.name for field in found)
        space = {name: value for name, value in cls.__dict__.items() if name not in (*names, "__dict__", "__weakref__")}
        made = type(cls)(cls.__name__, cls.__bases__, {**_methods(names), **space, "__slots__": names})
        made.__qualname__ = cls.__qualname__
        made.__init__ = _constructor(made, found)
        return made

    def _constructor(cls, found):
        """The one function that is compiled: it sets each field, as given or by default. A slot is set by its own
        descriptor, which takes two fifths of the time of ``object.__setattr__``, as that looks for the slot by name."""
        said, lines, known = [], [], {"_made": _MISSING}
        for field in found:
            value = field.name
            if field.default is not _MISSING:
                known[f"_default_{field.name}"], word = field.default, f"=_default_{field.name}"
            elif field.default_factory is not _MISSING:
                known[f"_default_{field.name}"], word = field.default_factory, "=_made"
                value = f"_default_{field.name}() if {field.name} is _made else {field.name}"
            else:
                word = ""
            said.append(field.name + word)
            known[f"_set_{field.name}"] = cls.__dict__[field.name].__set__
            lines.append(f" _set_{field.name}(self, {value})\n")
        exec(f"def __init__(self, {', '.join(said)}):\n{''.join(lines)}", known)  # noqa: S102 - names of our own fields
        made = known["__init__"]
        made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
        made.__annotations__ = {**{field.name: field.type for field in found}, "return": None}
        return made

    def _methods(names):
        """What is the same for all classes, but for the names of their fields."""
        got = attrgetter(*names) if len(names) > 1 else lambda self: (getattr(self, names[0]),)

        def equal(self, other):
            return got(self) == got(other) if other.__class__ is self.__class__ else NotImplemented

        def hashed(self):
            return hash(got(self))

        @recursive_repr()
        def shown(self):
            return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

        def reduced(self):
            return self.__class__, got(self)

        return {
            "__eq__": equal, "__hash__": hashed, "__repr__": shown, "__setattr__": _unset, "__delattr__": _unset,
            "__reduce__": reduced,
        }  # fmt: skip

    def _unset(_self, name, _value=None):
        raise dataclasses.FrozenInstanceError(f"field {name!r} cannot be changed")
