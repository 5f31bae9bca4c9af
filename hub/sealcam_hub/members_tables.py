"""The tables of the console's people: members of the household, invitations, passkeys. `members` reads and writes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from sealcam_hub.tables import Raw, metadata

members = Table(
    "members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(40), nullable=False),
    Column("folded", String(120), nullable=False, unique=True),  # what makes two names the same
    Column("handle", Raw(16), nullable=False),  # what their passkeys call them; random
    Column("kept", Raw, nullable=False),  # of the passphrase: an Argon2id string
    Column("joined_ns", BigInteger, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Raw(32), nullable=False, unique=True),  # of the link's token
    Column("name", String(40), nullable=False),
    Column("until_ns", BigInteger, nullable=False),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("credential", Raw(1023), primary_key=True),
    Column("member", ForeignKey("members.id"), index=True),  # null for the owner
    Column("host", String(253), nullable=False),  # the name that it belongs to
    Column("label", String(40), nullable=False),
    Column("public", Raw, nullable=False),  # COSE
    Column("counter", BigInteger, nullable=False),  # of signatures, where the device counts them
    Column("added_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger),
)
