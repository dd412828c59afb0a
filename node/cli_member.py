"""`invite` and `join`: how people, and other nodes, find their way in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from node import remote
from node.cli_ask import do
from node.cli_desk import AsJson, Member, folder, given, moment, note, show, silent
from node.clock import Clock
from node.failure import Misuse
from node.invitation import Join, parse


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    app.command("invite")(invite)
    app.command("join")(join)
    app.command("password")(password)


def invite(
    context: typer.Context,
    peer: Annotated[bool, typer.Option("--peer", help="For another node to link with this one, not for a person.")] = False,
    days: Annotated[int, typer.Option("--days", help="For how many days it is good, for a person.")] = 14,
    url: Annotated[str, typer.Option("--url", help="This node's address, if it does not know it.")] = "",
    member: Member = "",
    as_json: AsJson = False,
) -> None:
    """Invite one person to become a member, or with --peer another node to link."""
    told = do(folder(context), "invite", given(peer=peer, days=days, url=url, member=member), silent)
    show(told, as_json=as_json, words=lambda console: _invited(console, told))


def _invited(console: Console, told: dict[str, Any]) -> None:
    console.print(told["invitation"], soft_wrap=True)
    if told.get("link"):
        note(f"Or as a link: {told['link']}")
    if "expires_ms" in told:
        note(f"For one person, until {moment(told['expires_ms'])} UTC. Send it on a way that others do not read.")


def join(
    context: typer.Context,
    invitation: Annotated[str, typer.Argument(metavar="INVITATION", help="The line that begins with archipelago:join:")],
    member: Annotated[str, typer.Option("--member", metavar="NAME", help="What the other members call you.")],
    public_name: Annotated[str, typer.Option("--public-name", help="Only if the whole archipelago may know you by it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Become a member by an invitation, under a new key in this folder: on the node's machine, or on one of your own."""
    data, read = folder(context), parse(invitation)
    if isinstance(read, Join) and not (data / "node.db").exists():
        told = remote.join(data, read, member, public_name, Clock())
    else:
        told = do(data, "join", given(given=invitation, member=member, public_name=public_name), silent)
    show(told, as_json=as_json, words=lambda console: _joined(console, told))


def _joined(console: Console, told: dict[str, Any]) -> None:
    if told["admitted"]:
        console.print(f"{told['member']} is a member now.")
        return
    console.print(f"{told['member']} asked to join. Another member has to stand for them:")
    console.print(f"  archipelago record add member.vouched --candidate {told['key']}", soft_wrap=True)


def password(
    context: typer.Context,
    member: Annotated[str, typer.Argument(metavar="[MEMBER]", help="Whose key it is; if not given, the first here.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let a member whose key lies here log in on the pages, with a password that is asked for."""
    if sys.stdin.isatty():
        chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        chosen = sys.stdin.readline().rstrip("\n")
    if not chosen:
        raise Misuse("The password is empty. Type one, or give it as a line on standard input.")
    told = do(folder(context), "password", given(member=member, password=chosen), silent)
    sentence = f"{told['login']} can log in on the pages now."
    show(told, as_json=as_json, words=lambda console: console.print(sentence))
