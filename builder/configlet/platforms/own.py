"""Faults inside a platform's folder that is the workspace's own: said to whoever writes it, and no internal errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from configlet.model.platform import Platform
from configlet.model.problem import Place, refuse


@contextmanager
def faults(known: Platform) -> Iterator[None]:
    """What is missing in an own folder, or of another kind than it must be, ends as a refusal that names the folder.

    A platform of which every file ships goes wrong by a fault of ours alone, and that stays an internal error.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        folder = next((layer / known.name for layer in known.search[:-1] if (layer / known.name).is_dir()), None)
        if folder is None:
            raise
        missing = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        detail = (
            f"In the operands, the sheet, the reader or a case something is missing or of another kind: {missing}. Compare "
            f"with a platform that ships; `configlet platforms check {known.name}` reads all of it."
        )
        raise refuse("Platform that is incomplete", detail, Place(str(folder))) from error
