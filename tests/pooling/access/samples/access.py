"""Keys, principals and the audit. A key is own where it is the asker's, another's where it is another principal's."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from pooling.access import keys, people
from pooling.access.people import Rights
from pooling.access.rules import Role
from tests.pooling.access.samples import Place, Sample, Sent

if TYPE_CHECKING:
    from tests.pooling.access.world import World

ANY_VERSION = {"If-Match": "*"}


def plant(world: "World") -> None:
    """Nothing: keys and people have no figures."""


def _key(world: "World", place: Place) -> UUID:
    """A key to look at, rotate or revoke: of whoever asks, or of another region's system."""
    if place == "own":
        return world.renewed() or uuid4()
    with world.written() as opened:
        made = keys.add(
            opened.session, _system(world), label="other's", scopes=frozenset({"pools:read"}), now=opened.now
        )
        return made.key.id


def _system(world: "World") -> UUID:
    with world.written() as opened:
        return people.add_system(
            opened.session, "another", frozenset({str(world.participant("others"))}), now=opened.now
        )


def _person(world: "World") -> UUID:
    with world.written() as opened:
        return people.add_person(
            opened.session, "Somebody Else", Rights(roles=frozenset({Role.PLANNER})), now=opened.now
        )


def _new_key(world: "World", place: Place) -> Sent:
    if place == "own":
        world.renewed()
        return Sent("/v1/keys", json={"label": "my second"})
    return Sent("/v1/keys", json={"label": "a system's", "principal": str(_system(world)), "scopes": ["pools:read"]})


def _principal(suffix: str = "", **more: Any) -> Callable[["World", Place], Sent]:
    return lambda world, place: Sent(f"/v1/principals/{_person(world)}{suffix}", **more)


RIGHTS = {"roles": ["coordinator"], "participants": ["NO-HV"]}

SAMPLES = (
    Sample("me.read", "GET", lambda world, place: Sent("/v1/me")),
    Sample(
        "me.contact",
        "PUT",
        lambda world, place: Sent("/v1/me/contact", json={"email": "made-up@region.example"}, headers=ANY_VERSION),
    ),
    Sample("keys.list", "GET", lambda world, place: Sent("/v1/keys")),
    Sample("keys.read", "GET", lambda world, place: Sent(f"/v1/keys/{_key(world, place)}"), places=("own", "others")),
    Sample("keys.create", "POST", _new_key, places=("own", "others")),
    Sample(
        "keys.rotate",
        "POST",
        lambda world, place: Sent(f"/v1/keys/{_key(world, place)}/rotation", json={"overlap_hours": 1}),
        places=("own", "others"),
    ),
    Sample(
        "keys.revoke",
        "DELETE",
        lambda world, place: Sent(f"/v1/keys/{_key(world, place)}", headers=ANY_VERSION),
        places=("own", "others"),
    ),
    Sample("principals.list", "GET", lambda world, place: Sent("/v1/principals")),
    Sample("principals.read", "GET", _principal()),
    Sample(
        "principals.create",
        "POST",
        lambda world, place: Sent("/v1/principals", json={"kind": "person", "name": "Åse Ny", **RIGHTS}),
    ),
    Sample("principals.update", "PUT", _principal(json=RIGHTS, headers=ANY_VERSION)),
    Sample("principals.invite", "POST", _principal("/invitation")),
    Sample("principals.revoke", "DELETE", _principal(headers=ANY_VERSION)),
    Sample("principals.erase", "DELETE", _principal("/name", headers=ANY_VERSION)),
    Sample("audit.list", "GET", lambda world, place: Sent("/v1/audit?limit=500")),
    Sample("audit.readings", "GET", lambda world, place: Sent("/v1/audit/readings?limit=500")),
    Sample("audit.verify", "GET", lambda world, place: Sent("/v1/audit/verification")),
)
