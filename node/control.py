"""Verbs of the command line, given to a node that runs: over a Unix socket in its data folder, readable by its owner alone.

One request, one connection; every line is JSON:

    -> {"verb": "status", "args": {}}
    <- {"progress": {"done": 4096, "of": 100000}}        any number of times
    <- {"text": "..."}                                   any number of times, of verbs that write a file out
    <- {"answer": ...}   or   {"error": "a sentence", "code": 2}

So the same function does a verb's work whether a node runs or not (`node.commands`).
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident
from typing import Any

from node.failure import FAILED, CommandError, told

NAME = "node.sock"
MOST_BYTES = 64 * 1024 * 1024
_LONGEST = 100  # bytes of a Unix socket's path, which has room for 107

Say = Callable[[str, Any], None]  # ("progress" or "text", value)
Perform = Callable[[str, Mapping[str, Any], Say], Awaitable[Any]]


class NotRunning(CommandError):
    """Nobody answers on the socket."""


class Answered(CommandError):
    """The node's own refusal, in its words."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


@contextmanager
def _reachable(folder: Path) -> Iterator[str]:
    """The socket's path, made short where the folder's own is too long for one."""
    path = os.fspath(folder / NAME)
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{held}/{NAME}"
    finally:
        os.close(held)


def is_served(folder: Path) -> bool:
    """Whether somebody listens on the folder's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        try:
            with _reachable(folder) as path:
                wire.connect(path)
        except OSError:
            return False
    return True


def ask(folder: Path, verb: str, args: Mapping[str, Any], say: Say) -> Any:
    """Give a verb to the node that has this folder open; NotRunning if none answers, Answered with its refusal."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        try:
            with _reachable(folder) as path:
                wire.connect(path)
        except OSError as error:
            raise NotRunning(
                f"A process has {folder} open and does not answer. Wait for it, or end it, and try again."
            ) from error
        wire.sendall(json.dumps({"verb": verb, "args": args}).encode() + b"\n")
        with wire.makefile("rb") as lines:
            for line in lines:
                told_line: dict[str, Any] = json.loads(line)
                if "answer" in told_line:
                    return told_line["answer"]
                if "error" in told_line:
                    raise Answered(told_line["error"], told_line["code"])
                for what, value in told_line.items():
                    say(what, value)
    raise NotRunning("The node ended before it answered. Look at what it printed last, start it, and try again.")


async def serve(folder: Path, perform: Perform) -> asyncio.Server:
    """Listen on the folder's socket (mode 0600) and do what is asked; close the server, then `leave`."""
    with suppress(FileNotFoundError):
        (folder / NAME).unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with _reachable(folder) as path:
            listener.bind(path)
    finally:
        os.umask(mask)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer(reader, writer, perform)
        except (ConnectionError, asyncio.LimitOverrunError, ValueError):
            pass  # whoever asked went away, or did not ask in form
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    return await asyncio.start_unix_server(answer, sock=listener, limit=MOST_BYTES)


def leave(folder: Path) -> None:
    """Take the socket away."""
    with suppress(FileNotFoundError):
        (folder / NAME).unlink()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, perform: Perform) -> None:
    request = json.loads(await reader.readline())
    loop = asyncio.get_running_loop()

    def say(what: str, value: Any) -> None:
        if get_ident() == here:
            _write(writer, {what: value})
        else:
            asyncio.run_coroutine_threadsafe(_written(writer, {what: value}), loop).result()

    here = get_ident()
    try:
        _write(writer, {"answer": await perform(request["verb"], request["args"], say)})
    except Exception as error:
        known = told(error)
        if known is None:
            _write(writer, {"error": f"The node failed at this: {error!r}. Please report it.", "code": FAILED})
            await writer.drain()
            raise
        _write(writer, {"error": known[0], "code": known[1]})
    await writer.drain()


def _write(writer: asyncio.StreamWriter, value: Mapping[str, Any]) -> None:
    writer.write(json.dumps(value).encode() + b"\n")


async def _written(writer: asyncio.StreamWriter, value: Mapping[str, Any]) -> None:
    _write(writer, value)
    await writer.drain()
