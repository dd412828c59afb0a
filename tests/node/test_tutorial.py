"""The commands of the tutorial and of how-to pages, run as they stand: every line that begins with a dollar sign, in one shell."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial" / "found-and-link.md"
PATIENCE_S = 100
WITH_THREE = """```console
$ export PATH="$PWD/.venv/bin:$PATH"
$ archipelago found --name "Harbour House" --member Ada
$ rm -r archipelago-founding-kit
$ for who in Noor Ben; do archipelago join "$(archipelago invite)" --member $who; done
```
"""


def commands(text: str) -> list[str]:
    """The commands of a page's console blocks; a line that ends in a backslash goes on."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    joined = "".join(blocks).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def script(text: str) -> str:
    """The commands as one script that stops at the first that fails and leaves nothing running."""
    lines = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
    for line in commands(text):
        lines += [f"echo {shlex.quote(line)} >&2", line]
        if line.endswith("&"):
            (port,) = re.findall(r"--port (\d+)", line)
            knock = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
            lines.append(f'until python3 -c "{knock}" 2>/dev/null; do sleep 0.1; done')
    return "\n".join(lines).replace("$PWD/.venv/bin", str(Path(sys.executable).parent))


def run(text: str, folder: Path) -> str:
    """What the commands of a page print; the test fails if one of them does."""
    shell = subprocess.Popen(
        ["bash", "-c", script(text)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
    )  # fmt: skip
    try:
        out, err = shell.communicate(timeout=PATIENCE_S)
    except BaseException:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.communicate()
        raise
    assert shell.returncode == 0, f"{out}\n{err}"
    return out


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    text = TUTORIAL.read_text()
    for usual in ("8411", "8412"):
        text = text.replace(usual, str(free_port()))
    out = run(text, tmp_path)
    assert "Harbour House is at http://127.0.0.1:" in out
    assert "A link was offered" in out
    assert "the link holds" in out
    assert "ledger.transaction-booked/1" in out
    assert "This receipt holds." in out
    assert len(list((tmp_path / "backups").iterdir())) == 1
    assert (tmp_path / "harbour.beancount").exists()


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("decide-together", "Decision closed: A second key for the shed"),
        ("give-a-role", "It rests."),
        ("watch-with-trip-wires", "It takes a decision."),
        ("hold-an-assembly", "Agenda added: Who mends the stove?"),
    ],
)
def test_the_commands_of_a_how_to_page_do_what_it_says(page: str, said: str, tmp_path: Path) -> None:
    text = (DOCS / "howto" / f"{page}.md").read_text()
    assert commands(text)
    assert said in run(WITH_THREE + text, tmp_path)
