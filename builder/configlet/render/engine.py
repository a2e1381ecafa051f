"""The template engine: a sandbox, no undefined names, and layers of folders with what ships under a second name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configlet.model.problem import Place, refuse
from configlet.render.forms import Form, all_printed
from configlet.render.values import Filled, all_written, written

if TYPE_CHECKING:
    from jinja2 import Environment, Template


KEPT = 16
"""Templates that are not looked at again, by the identity of what their texts are of, which is held."""
_KEPT: dict[int, tuple[object, tuple[Path, ...], str, Template]] = {}


def fill(search: tuple[Path, ...], template: str, values: Mapping[str, object], of: object = None) -> str:
    """The text of a template over finished operands. Raises Refused for a fault in the template or a value. Its file is looked
    at for every text; for those ``of`` one object, what was read of a platform once, only for the first of them."""
    from jinja2 import TemplateError
    from jinja2.exceptions import TemplateSyntaxError

    try:
        return _template(search, template, of).render(values)
    except TemplateSyntaxError as error:
        place = Place(error.filename or template, error.lineno)
        raise refuse("Template that cannot be read", f"{error.message}. Correct the template.", place) from None
    except TemplateError as error:
        detail = f"{error}. The template asks for something that it was not given, or that is not allowed there."
        raise refuse("Template that cannot be filled", detail, _place(error, template)) from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}. Correct the template, or take the one that ships: `configlet which`."
        raise refuse("Template that cannot be filled", detail, _place(error, template)) from None


def _template(search: tuple[Path, ...], name: str, of: object) -> Template:
    known = _KEPT.get(id(of))
    if known and known[1] is search and known[2] == name:
        return known[3]
    found = _environment(search).get_template(name)
    found.globals = dict(found.globals)  # each text makes one of it, which of what Jinja has there takes long
    if of is not None:
        if len(_KEPT) >= KEPT:
            _KEPT.clear()
        _KEPT[id(of)] = of, search, name, found
    return found


def _place(error: Exception, template: str) -> Place:
    """The line of a template at which it went wrong, as far as the engine tells."""
    found, step = Place(template), error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.endswith(".j2"):
            found = Place(step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return found


_FIELDS: dict[type, frozenset[str]] = {}
"""Of types that were met their fields, where they are rows of ours; none of anything else."""


_LOOP = {"LoopContext": ("first", "index", "index0", "last", "length")}
"""What a template asks of its loop for every row."""


def _fields(kind: type) -> frozenset[str]:
    found = _FIELDS.get(kind)
    if found is None:
        ours = kind.__module__.startswith("configlet.render.")
        fields: tuple[str, ...] = getattr(kind, "_fields", ()) or getattr(kind, "__slots__", ())
        found = _FIELDS[kind] = frozenset(fields if ours else _LOOP.get(kind.__name__, ()))
    return found


def _fields_of(row: object) -> object:
    """All fields of one of our rows in order."""
    return getattr(row, "_fields", None) if _fields(type(row)) else None


@lru_cache(maxsize=8)
def _environment(search: tuple[Path, ...]) -> Environment:
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.runtime import BlockReference, Context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from configlet.render.joined import Joined

    class Below(BlockReference):
        def __call__(self) -> str:
            return Filled(super().__call__())

    class Blocks(Context):
        """Knows the text of a block from a value: ``super()`` may be written, lines and all."""

        def super(self, name: str, current: Callable[..., Any]) -> Any:
            """What the block of this name gives in the template that is extended."""
            found = super().super(name, current)
            return Below(name, self, found._stack, found._depth) if isinstance(found, BlockReference) else found

    class Sandbox(ImmutableSandboxedEnvironment):
        """Rows are our own frozen values, so asking for one of their fields needs no search for what it might do."""

        code_generator_class = Joined
        context_class = Blocks
        printable = staticmethod(all_written)
        fields = staticmethod(_FIELDS.get)

        def getattr(self, obj: Any, attribute: str) -> Any:
            """A field of a row, or what the sandbox says."""
            kind = type(obj)
            if attribute in (_FIELDS.get(kind) or _fields(kind)):
                return getattr(obj, attribute)
            return super().getattr(obj, attribute)

        def printed(self, form: Form, rows: Iterable[Any], fields: tuple[str, ...] = ()) -> str:
            """What a loop writes of rows, or of some fields of each."""
            if fields:
                rows = [row if _fields_of(row) == fields else [self.getattr(row, name) for name in fields] for row in rows]
            return all_printed(form, rows)

    layers = [FileSystemLoader(layer) for layer in search]
    return Sandbox(
        loader=ChoiceLoader([PrefixLoader({"stock": FileSystemLoader(search[-1])}), *layers]),
        undefined=StrictUndefined,
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
