"""Real nodes as real processes, for tests: started by the command, ended whatever happens."""

from __future__ import annotations

import io
import json
import os
import selectors
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from msgspec import Struct

from node.cli import main

READY_S = 30


def command(folder: Path | None, *args: str) -> list[str]:
    """The command line of the command."""
    where = ["-C", str(folder)] if folder else []
    return [sys.executable, "-m", "node.cli", *where, *args]


class Ran(Struct):
    """What a command gave back."""

    returncode: int
    stdout: str
    stderr: str


def ran(folder: Path | None, *args: str) -> Ran:
    """A command that ended, however it did; within the test's own process, which is quicker than one of its own."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*(["-C", str(folder)] if folder else []), *args])
    return Ran(code, out.getvalue(), err.getvalue())


def answer(folder: Path | None, *args: str) -> Any:
    """What a command answers as JSON."""
    done = ran(folder, *args, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def alive(pid: int) -> bool:
    """Whether there is a process with this id that is not just waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Process:
    """`archipelago run` on a folder."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            command(folder, "run", "--port", "0", "--json", *args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if waiting.select(READY_S) else ""
        if not line:
            self.end(signal.SIGKILL)
            raise AssertionError(f"the node did not start: {self.said}")
        told = json.loads(line)
        self.url, self.space = told["url"], told["space"]

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        try:
            _, self.said = self.process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, self.said = self.process.communicate()
            raise
        return self.process.returncode
