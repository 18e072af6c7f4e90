"""Keys, principals and oneself over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from pooling.access import accounts, contacts, principals
from pooling.access.api_audit import AuditController
from pooling.access.keys import Made
from pooling.access.people import Identification, Rights
from pooling.access.rules import Role
from pooling.access.views import (
    Invitation,
    KeyPage,
    KeyView,
    Me,
    NewContact,
    NewKey,
    NewPrincipal,
    NewRights,
    PrincipalPage,
    PrincipalView,
    Rotation,
    key_view,
    me_view,
    principal_view,
)
from pooling.calls import Asked, Call, Reply, created, gone
from pooling.endpoints import delete, get, post, put
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit

Holder = FromQuery[Annotated[UUID | None, QueryParameter(description="keys of this principal alone")]]


class MeController(Controller):
    """Oneself."""

    path = "/v1/me"
    tags = ("access",)

    @get("/", "me.read", "Who the service takes you for")
    def read(self, request: Asked, handling: Handled) -> Response[Me]:
        """Roles, participants and scopes as they stand now."""
        return handling.read(request, _me)

    @put("/contact", "me.contact", "Where to reach you")
    def contact(self, request: Asked, handling: Handled, data: JSONBody[NewContact]) -> Response[Me]:
        """Notices go there by e-mail from now on; null: by `/v1/notices` alone. It is erased with your name.
        Needs If-Match of `/v1/me`."""

        def work(call: Call) -> Reply:
            def expect() -> None:
                call.expect(call.version_shown(_me_view(call)))

            contacts.set_email(call.session, call.who.id, data.email, expect=expect)
            return _me(call)

        return handling.write(request, work)


class KeyController(Controller):
    """API keys: shown once, two live at a time for rotation."""

    path = "/v1/keys"
    tags = ("access",)

    @get("/", "keys.list", "Keys")
    def list_keys(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        principal: Holder = None,
    ) -> Response[KeyPage]:
        """One's own keys; an administrator sees everybody's. The keys themselves are kept nowhere."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            after = UUID(window.after[0]) if window.after else None
            found = accounts.visible_keys(call.session, call.who, of=principal, after=after, limit=window.fetch)
            page = page_of(found, window, key=lambda key: (key.id,))
            return call.page(page, KeyPage, view=lambda key: key_view(key, call.now))

        return handling.read(request, work)

    @get("/{key_id:uuid}", "keys.read", "A key")
    def read(self, request: Asked, handling: Handled, key_id: FromPath[UUID]) -> Response[KeyView]:
        """All that is kept of a key."""

        def work(call: Call) -> Reply:
            key = accounts.visible_key(call.session, call.who, key_id)
            return Reply(key_view(key, call.now), version=key.version)

        return handling.read(request, work)

    @post("/", "keys.create", "Make a key")
    def create(self, request: Asked, handling: Handled, data: JSONBody[NewKey]) -> Response[KeyView]:
        """The key is in this answer and never again, not for a repeated request either. Uses up a one-time secret."""

        def work(call: Call) -> Reply:
            made = accounts.make_key(
                call.session,
                call.who,
                principal=data.principal,
                label=data.label,
                scopes=frozenset(data.scopes),
                days=data.days,
                now=call.now,
            )
            return _made(made, call)

        return handling.write(request, work)

    @post("/{key_id:uuid}/rotation", "keys.rotate", "Make a key's successor")
    def rotate(
        self, request: Asked, handling: Handled, key_id: FromPath[UUID], data: JSONBody[Rotation]
    ) -> Response[KeyView]:
        """The successor has the same label and scopes; the old key stays good for the overlap."""

        def work(call: Call) -> Reply:
            made = accounts.rotate_key(call.session, call.who, key_id, overlap_hours=data.overlap_hours, now=call.now)
            return _made(made, call)

        return handling.write(request, work)

    @delete("/{key_id:uuid}", "keys.revoke", "Revoke a key")
    def revoke(self, request: Asked, handling: Handled, key_id: FromPath[UUID]) -> Response[None]:
        """The next request with it is refused."""

        def work(call: Call) -> Reply:
            accounts.revoke_key(call.session, call.who, key_id, now=call.now, expect=call.expect)
            return gone()

        return handling.write(request, work)


class PrincipalController(Controller):
    """People and partner systems, and what they may."""

    path = "/v1/principals"
    tags = ("access",)

    @get("/", "principals.list", "People and systems")
    def list_principals(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[PrincipalPage]:
        """Revoked ones too: the audit names all by their ids."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            after = UUID(window.after[0]) if window.after else None
            found = principals.records(call.session, after=after, limit=window.fetch)
            return call.page(page_of(found, window, key=lambda each: (each.id,)), PrincipalPage, view=principal_view)

        return handling.read(request, work)

    @get("/{principal_id:uuid}", "principals.read", "A person or system")
    def read(self, request: Asked, handling: Handled, principal_id: FromPath[UUID]) -> Response[PrincipalView]:
        """With roles, participants and what issuers know them by."""

        def work(call: Call) -> Reply:
            record = principals.record(call.session, principal_id)
            return Reply(principal_view(record), version=record.version)

        return handling.read(request, work)

    @post("/", "principals.create", "Let somebody in")
    def create(self, request: Asked, handling: Handled, data: JSONBody[NewPrincipal]) -> Response[PrincipalView]:
        """A person's answer has a one-time secret, to be handed over: with it they make their own key."""

        def work(call: Call) -> Reply:
            record, secret = accounts.let_in(
                call.session,
                kind=data.kind,
                name=data.name,
                rights=_rights(data),
                identities=tuple(Identification(each.issuer, each.subject) for each in data.identities),
                email=data.email,
                now=call.now,
            )
            shown = principal_view(record, secret) if secret is not None else principal_view(record)
            again = principal_view(principals.nameless(record))  # a stored answer would outlive the name's erasure
            return created(shown, location=f"/v1/principals/{record.id}", version=record.version, replay=again)

        return handling.write(request, work)

    @put("/{principal_id:uuid}", "principals.update", "Change rights")
    def update(
        self, request: Asked, handling: Handled, principal_id: FromPath[UUID], data: JSONBody[NewRights]
    ) -> Response[PrincipalView]:
        """All rights are replaced, from the next request on."""

        def work(call: Call) -> Reply:
            record = accounts.change_rights(call.session, principal_id, _rights(data), expect=call.expect)
            again = principal_view(principals.nameless(record))
            return Reply(principal_view(record), version=record.version, replay=again)

        return handling.write(request, work)

    @post("/{principal_id:uuid}/invitation", "principals.invite", "Give a person a one-time secret")
    def invite(self, request: Asked, handling: Handled, principal_id: FromPath[UUID]) -> Response[Invitation]:
        """With it they make a key, once, within a day; earlier one-time secrets are void."""

        def work(call: Call) -> Reply:
            made = accounts.invite(call.session, principal_id, now=call.now)
            again = Invitation(principal=principal_id, expires_at=made.key.expires_at)
            shown = Invitation(principal=principal_id, expires_at=made.key.expires_at, secret=made.secret)
            return created(shown, location=f"/v1/keys/{made.key.id}", replay=again)

        return handling.write(request, work)

    @delete("/{principal_id:uuid}", "principals.revoke", "Shut somebody out")
    def revoke(self, request: Asked, handling: Handled, principal_id: FromPath[UUID]) -> Response[None]:
        """The next request is refused, whatever it comes with. For good: a new principal can be made."""

        def work(call: Call) -> Reply:
            accounts.shut_out(call.session, principal_id, now=call.now, expect=call.expect)
            return gone()

        return handling.write(request, work)

    @delete("/{principal_id:uuid}/name", "principals.erase", "Erase a person's name")
    def erase(self, request: Asked, handling: Handled, principal_id: FromPath[UUID]) -> Response[None]:
        """The audit keeps what was done, under an id that nothing leads back from; the person is shut out."""

        def work(call: Call) -> Reply:
            accounts.forget(call.session, principal_id, now=call.now, expect=call.expect)
            return gone()

        return handling.write(request, work)


def _me(call: Call) -> Reply:
    shown = _me_view(call)
    return Reply(shown, version=call.version_shown(shown))


def _me_view(call: Call) -> Me:
    who = call.who
    return me_view(who, principals.name_of(call.session, who.id), contacts.email_of(call.session, who.id))


def _made(made: Made, call: Call) -> Reply:
    """The answer with a new key; a repeated request is answered without it."""
    return created(
        key_view(made.key, call.now, made.secret),
        location=f"/v1/keys/{made.key.id}",
        version=made.key.version,
        replay=key_view(made.key, call.now),
    )


def _rights(data: NewPrincipal | NewRights) -> Rights:
    return Rights(
        roles=frozenset(Role(name) for name in data.roles),
        participants=frozenset(data.participants),
        employer=data.employer,
    )


ROUTES = (MeController, KeyController, PrincipalController, AuditController)
"""Everything of this subject's API, for the application."""
