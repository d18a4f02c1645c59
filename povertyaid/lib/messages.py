"""Messages that are translated when they are shown, not when they are raised.

A workbook is read and checked before anybody knows in which language the result will be looked at (a browser,
the command line, a stored batch), so that an error keeps its sentence and its parameters apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Message:
    """A translatable sentence with its named parameters; `str()` gives it in the active language.

    `code` is stable and for programs: tests, JSON, the choice of a help text.
    """

    code: str
    text: StrOrPromise
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in the language that is active now."""
        return str(self.text) % self.params if self.params else str(self.text)


class MessageError(ValueError):
    """Base of the errors that a person reads: `code` for programs, `str()` for people.

    The positional arguments are kept as `args`, so that the error survives the way out of a child process.
    """

    def __init__(self, code: str, text: StrOrPromise, params: Mapping[str, object] | None = None) -> None:
        """Keep the code, the untranslated sentence and its parameters."""
        super().__init__(code, text, params)
        self.code = code
        self.message = Message(code, text, params or {})

    def __str__(self) -> str:
        """The sentence in the language that is active now."""
        return str(self.message)
