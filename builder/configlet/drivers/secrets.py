"""Credentials, resolved from a reference here and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from configlet.model.frozen import dataclass
from configlet.model.problem import refuse

_REFERENCE = re.compile(r"env/([A-Za-z_][A-Za-z0-9_]*)")


class Secret:
    """A text that does not show itself: not in a repr, a format, a traceback or a pickle."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one call that sends it."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and its password."""

    username: str
    password: Secret


def resolve(reference: str, environment: Mapping[str, str] | None = None) -> Credentials:
    """``env/DC1`` is DC1_USERNAME and DC1_PASSWORD; ``Refused`` when the form or a variable is missing."""
    values = os.environ if environment is None else environment
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise refuse(
            "unknown kind of credentials",
            f'"{reference}" is not of the form env/NAME. Write env/DC1 to have DC1_USERNAME and DC1_PASSWORD used.',
        )
    names = f"{match[1]}_USERNAME", f"{match[1]}_PASSWORD"
    missing = [name for name in names if not values.get(name)]
    if missing:
        raise refuse(
            "credentials missing",
            f"{reference} needs the environment variables {' and '.join(names)}; "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. Set them and try again.",
        )
    return Credentials(values[names[0]], Secret(values[names[1]]))
