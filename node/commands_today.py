"""What `status` says in words: Today, as the page has it, for the member whose key comes first on this machine.

The moon's wheel is left out: as a table it would say again what is due.
"""

from __future__ import annotations

import io

from node import news, today
from node.console import Plain
from node.home import Home
from node.names import telling_for
from node.render_text import write
from node.vault import VaultError
from protocol.page import Block, Heading, Wheel
from protocol.practice import EVERYTHING, KEYS

NEWS = 8


def today_text(home: Home, *, member: str = "", width: int = 100, colours: bool = False) -> str:
    """Today as text of so many columns."""
    view, now_ms = home.view(), home.clock.now_ms()
    try:
        public = home.key_files.key(member).public
    except VaultError:
        if member:
            raise
        public = b""
    row = view.get(KEYS, public) if public else None
    telling = telling_for(home, view, now_ms)
    due = list(today.for_member(view, row.member if row else public, now_ms))
    blocks: list[Block] = due[: next((at for at, each in enumerate(due) if isinstance(each, Wheel)), len(due)) - 1]
    blocks += [Heading("New"), news.gathered(home, news.latest(home, EVERYTHING, NEWS), view, "")]
    held = io.StringIO()
    write(blocks, telling, Plain(file=held, width=width, force_terminal=colours, highlight=False, markup=False, emoji=False))
    return held.getvalue()
