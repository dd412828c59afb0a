"""What goes wrong between nodes: two roots, theirs and ours.

    Theirs (the other side sent what it should not)            400
    ├── EnvelopeError       a body that is not processed       400   federation.envelope
    │   ├── TooLarge        more bytes than the verb allows    413
    │   ├── Stale           a time or nonce outside            409
    │   └── NotGenuine      no pinned key made the signature   401
    ├── RowsError           no range of a log                  400   federation.rows
    ├── PullError           an answer that does not verify     400   federation.pull
    │   └── Forked          two heads that cannot both be      400
    ├── Refused             a request that asks too much       403
    │   ├── NotHeld         of a space that is not held here   404
    │   └── TooMany         more often than agreed             429
    └── Unreachable         no answer, or not one in time      504   federation.outgoing
    Ours (this node cannot do it now)                          500
    ├── AddressError        a place that is not called         500   federation.address
    └── NotYet              nothing is signed, or not whole    503

`federation.storage.StorageError` is ours too: the store raises it, whoever catches `Ours` catches it beside.
"""

from __future__ import annotations


class Theirs(Exception):
    """The other side's fault; nothing of what they sent was kept."""

    status = 400


class Ours(Exception):
    """This node's own fault, or its operator's decision."""

    status = 500


class Refused(Theirs):
    """A genuine request that is not granted."""

    status = 403


class NotHeld(Refused):
    """Something about a space that this node does not hold."""

    status = 404


class TooMany(Refused):
    """More requests than a peer may make in a minute."""

    status = 429


class Unreachable(Theirs):
    """No answer, or none in time, or one that breaks off."""

    status = 504


class NotYet(Ours):
    """This node has no signed head of that log, or does not hold all of it yet."""

    status = 503
