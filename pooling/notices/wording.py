"""The words of notices, by language and kind; figures are in none of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pooling.notices.rules import Kind

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """A title and a sentence or two; names in braces are facts of the kind."""

    title: str
    text: str


WORDS: Mapping[str, Mapping[Kind, Words]] = {
    ENGLISH: {
        Kind.CYCLE_OPENS: Words(
            "Cycle {cycle} is open", "Demand for the planning round {cycle} can be sent until the end of {closes_on}."
        ),
        Kind.CYCLE_DUE_SOON: Words(
            "Cycle {cycle} closes soon",
            "Nothing was sent yet for the planning round {cycle}, which closes at the end of {closes_on}.",
        ),
        Kind.CYCLE_CLOSED: Words(
            "Cycle {cycle} is closed",
            "The planning round {cycle} takes demand no longer; corrections go through a planner.",
        ),
        Kind.CYCLE_DECIDED: Words(
            "Cycle {cycle} is decided", "Every joint tender of the planning round {cycle} is settled."
        ),
        Kind.INVITED: Words(
            "Invitation to a joint tender: {family}",
            "You are invited to a joint tender for {family} in the planning round {cycle}. The invitation shows your"
            " own lines, gain and risk. Commit, decline, or propose a change.",
        ),
        Kind.ASKED_AGAIN: Words(
            "You are asked again: {family}",
            "Your answer to the invitation to the joint tender for {family} in {cycle} counts no more. Read the"
            " invitation again, and commit, decline, or propose a change.",
        ),
        Kind.ANSWER_DUE_SOON: Words(
            "Your answer is due soon: {family}",
            "You have neither committed to the joint tender for {family} in {cycle} nor declined.",
        ),
        Kind.TENDER_ANSWERED: Words(
            "{participant} has answered: {family}",
            "{participant} answered the invitation to the joint tender for {family} in {cycle}: {answer}.",
        ),
        Kind.TENDER_AT_RISK: Words(
            "A joint tender is at risk: {family}",
            "As it is answered now, the joint tender for {family} in {cycle} falls short. Repairs are being sought.",
        ),
        Kind.TENDER_DEARER: Words(
            "A joint tender gets dearer: {family}",
            "As it is answered now, the joint tender for {family} in {cycle} comes to a dearer price than its"
            " invitation says. Nobody is bound to that price: members that committed to less are asked again.",
        ),
        Kind.ANSWERED_FOR: Words(
            "A planner declined for {participant}: {family}",
            "A planner declined the joint tender for {family} in {cycle} in the place of {participant}. Look at the"
            " answer for the reason; until the last day it can be answered otherwise.",
        ),
        Kind.TENDER_DECIDED: Words(
            "A joint tender is {status}: {family}", "The joint tender for {family} in {cycle} is {status}."
        ),
        Kind.CALL_OFF_WARNING: Words(
            "Call-offs near their limit: {family}",
            "Call-offs of {category} by {buyer} from the agreement on {family} have reached a mark: {standing}.",
        ),
        Kind.CORRECTION: Words(
            "Demand in cycle {cycle} was corrected",
            "A planner corrected the demand of {participant} in the planning round {cycle} after it had closed.",
        ),
        Kind.SUCCESSION: Words(
            "{successor} succeeds {predecessor}",
            "From {on} on {successor} stands in the place of {predecessor}: lines and commitments have passed to it.",
        ),
    }
}
"""Every kind in each language; a language is added here and nowhere else."""

PLACES: Mapping[str, str] = {
    "cycle": "/v1/cycles/{id}",
    "tender": "/v1/tenders/{id}",
    "submission": "/v1/submissions/{id}",
    "participant": "/v1/participants/{id}",
    "plan": "/v1/plans/{id}",
}
"""Where the subjects of notices are."""
LEFT_OUT: Mapping[str, str] = {"buyer": "a buyer"}
"""What stands for a fact that a notice was kept without."""
INVITATION = "/v1/tenders/{id}/invitation"


def words_of(kind: Kind, facts: Mapping[str, str], *, language: str = ENGLISH) -> Words:
    """Title and text with the facts in them; English where the language has no words."""
    found = WORDS.get(language, WORDS[ENGLISH])[kind]
    said = {**LEFT_OUT, **facts}
    return Words(found.title.format_map(said), found.text.format_map(said))


def place_of(kind: Kind, subject_type: str, subject_id: str, notice: object) -> str:
    """Path of the resource to look at; of the notice itself where its subject has no address of its own."""
    asked = kind in (Kind.INVITED, Kind.ASKED_AGAIN, Kind.ANSWER_DUE_SOON) and subject_type == "tender"
    path = INVITATION if asked else PLACES.get(subject_type)
    return f"/v1/notices/{notice}" if path is None else path.format(id=subject_id)


def due_line(due: date) -> str:
    """The day by whose end something is to be done, in words."""
    return f"Due by the end of {due.isoformat()}."
