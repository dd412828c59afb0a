"""A process that checks authors' signatures for a node, and nothing else: started for a large backlog, it ends with it.

Checking holds the interpreter's lock only for moments, yet each time it waits for it; beside a thread that judges, that costs
much of a second core (docs/adr/0012). A process has a lock of its own. It reads frames from its standard input and answers
each::

    frame:   number of records (4 bytes, big-endian) ‖ the space's id, or 32 zero bytes for founding records
             ‖ for each: its length (4 bytes) ‖ the record
    answer:  one byte a record: 1 genuine, 0 not

It greets before the first answer. Whatever else comes from it, of a library that prints or a folder that it was started in,
is no answer: the parent then checks for itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from protocol.record import genuine

NONE = bytes(32)
GREETING = b"archipelago verifier\n"
GONE_S = 5.0


def frame(space: bytes, records: Sequence[bytes]) -> bytes:
    """The frame that asks about these records."""
    parts = [len(records).to_bytes(4, "big"), space or NONE]
    for raw in records:
        parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(parts)


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer frames until there are no more."""
    while head := source.read(36):
        count, space = int.from_bytes(head[:4], "big"), head[4:]
        known = b"" if space == NONE else space
        told = bytearray()
        for _ in range(count):
            told.append(genuine(source.read(int.from_bytes(source.read(4), "big")), known))
        target.write(told)
        target.flush()


def peak_mib(process: str = "self") -> float:
    """The most memory that a process held at once, in MiB; 0 where the kernel does not tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


class Verifier:
    """The other end: one such process. Threads may share it: a frame and its answer are never parted by another's."""

    def __init__(self) -> None:
        self._turn, self._greeted = threading.Lock(), False
        command = [sys.executable, "-P", "-m", "node.verifier"]  # -P: never from the folder that we happen to be in
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 our own module, no input in it

    def check(self, space: bytes, records: Sequence[bytes]) -> bytes:
        """One byte a record: 1 genuine, 0 not. Blocks; call it from a thread of its own.

        OSError if the process is gone, or says anything else; ValueError if it was closed.
        """
        source, target = self._process.stdin, self._process.stdout
        assert source is not None and target is not None
        asked = frame(space, records)
        with self._turn:
            source.write(asked)
            source.flush()
            self._greeted = self._greeted or target.read(len(GREETING)) == GREETING
            told = target.read(len(records)) if self._greeted else b""
        if len(told) != len(records) or told.strip(b"\0\1"):
            raise OSError("the process that checks signatures is gone, or says what is no answer")
        return told

    def peak_mib(self) -> float:
        """The most memory that the process held so far, as the kernel counts it; 0 where that cannot be read."""
        return peak_mib(str(self._process.pid))

    def close(self) -> None:
        """End the process, whatever state it is in."""
        for end in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was still to be written cannot be any more
                if end is not None:
                    end.close()
        try:
            self._process.wait(GONE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Answer on what was standard output; whatever else is printed goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        answers.write(GREETING)
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
