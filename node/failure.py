"""What a failure says to whoever gave a command, and with which exit code.

    2  what was asked for cannot be: the sentence names the field or the argument and what to do; nothing was written
    1  it could be asked, but did not work: no node in the folder, a disk that is full, a peer that does not answer

Any other exception is a fault of this program and is shown as one.

>>> told(Refused("Amount: a whole number."))
('Amount: a whole number.', 2)
>>> told(ZeroDivisionError()) is None
True
"""

from __future__ import annotations

from federation.storage import StorageError
from node.database import FAILURES
from node.home import HomeError
from node.vault import VaultError
from protocol.keychain import KeyChainError
from protocol.moon import OutsideTable
from protocol.practice import Refused
from protocol.record import RecordError

WRONG, FAILED = 2, 1


class CommandError(Exception):
    """A command did not work; the message says why and what to do."""

    code = FAILED


class Misuse(CommandError):
    """What was asked for cannot be; the message names the argument and what to do."""

    code = WRONG


_ASKED = (Refused, VaultError, OutsideTable, KeyChainError, RecordError)
_FAILED: tuple[type[BaseException], ...] = (HomeError, StorageError, OSError, *FAILURES)


def told(error: BaseException) -> tuple[str, int] | None:
    """(sentence, exit code) of a failure that is one, or None for a fault of this program."""
    if isinstance(error, CommandError):
        return str(error), error.code
    if isinstance(error, _ASKED):
        return str(error), WRONG
    if isinstance(error, _FAILED):
        return str(error), FAILED
    return None
