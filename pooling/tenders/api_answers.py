"""Invitations and answers over HTTP: what a member may know of a tender, what it says, and asking it again."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get, put, transition
from pooling.parameters import Handled
from pooling.tenders import answering, showing
from pooling.tenders.asking import AskAgain, NewAnswer
from pooling.tenders.deciding import Decision
from pooling.tenders.invitation import TenderInvitation, invitation
from pooling.tenders.views import AnswerView

Participant = FromPath[Annotated[str, PathParameter(max_length=40, description="code of a member")]]
AsMember = FromQuery[
    Annotated[
        str | None,
        QueryParameter(max_length=40, description="member to read it as; needed where the reader acts for several"),
    ]
]


class AnswerController(Controller):
    """Invitations and answers."""

    path = "/v1/tenders/{tender_id:uuid}"
    tags = ("tenders",)

    @get("/invitation", "invitations.read", "An invitation")
    def read_invitation(
        self, request: Asked, handling: Handled, tender_id: FromPath[UUID], participant: AsMember = None
    ) -> Response[TenderInvitation]:
        """Own lines, gain and risk, the terms; a lot's whole volume only where no other member's follows from it."""

        def work(call: Call) -> Reply:
            return Reply(invitation(call.session, call.who.sees, tender_id, participant))

        return handling.read(request, work)

    @get("/answers/{participant:str}", "answers.read", "An answer")
    def read_answer(
        self, request: Asked, handling: Handled, tender_id: FromPath[UUID], participant: Participant
    ) -> Response[AnswerView]:
        """What a member said, if anything; its ETag is needed to say something else."""
        return handling.read(request, lambda call: _answer(call, tender_id, participant))

    @put("/answers/{participant:str}", "answers.write", "Answer an invitation")
    def answer(
        self,
        request: Asked,
        handling: Handled,
        tender_id: FromPath[UUID],
        participant: Participant,
        data: JSONBody[NewAnswer],
    ) -> Response[AnswerView]:
        """Commit, decline, or propose a change that can be planned; until the end of the due day it can be answered
        otherwise. Needs If-Match of the answer: terms that changed meanwhile are answered only once they were read."""

        def work(call: Call) -> Reply:
            answering.answer(
                call.session,
                tender_id,
                participant,
                data.said(),
                sees=call.who.sees,
                own=call.who.own,
                now=call.now,
                by=call.who.id,
                expect=call.expect,
            )
            return _answer(call, tender_id, participant)

        return handling.write(request, work)

    @transition("/answers/{participant:str}/ask-again", "answers.ask-again", "Ask a member again")
    def ask_again(
        self,
        request: Asked,
        handling: Handled,
        tender_id: FromPath[UUID],
        participant: Participant,
        data: JSONBody[AskAgain],
    ) -> Response[AnswerView]:
        """Sets aside a commitment, or a change that will not be made: the member is told and answers anew. Needs
        If-Match of the answer."""

        def work(call: Call) -> Reply:
            decision = Decision(call.who.id, call.now, call.expect, data.reason)
            answering.ask_again(call.session, tender_id, participant, decision, due=data.due)
            return _answer(call, tender_id, participant)

        return handling.write(request, work)


def _answer(call: Call, tender: UUID, participant: str) -> Reply:
    found = answering.member(call.session, call.who.sees, tender, participant)
    return Reply(showing.answer(found), version=found.version)
