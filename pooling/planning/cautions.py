"""What a planner should look at before inviting to a pool; nothing here forbids it. Pure."""

from collections.abc import Iterator, Sequence

from pooling.planning.pool_views import LotView, MemberView
from pooling.planning.rules import Milestones

LONGEST_TERM = 48  # months
LARGE_SHARE = 0.38  # above it a member's own gain falls as its share grows (Schotanus, Telgen, de Boer, 2005/2008)


def cautions(lots: Sequence[LotView], members: Sequence[MemberView], dates: Milestones) -> Iterator[str]:
    """Sentences about dates, terms, volumes and members, in that order."""
    if dates.dialogue_is_short:
        yield "Less than six weeks between dialogue and notice: suppliers have asked for six weeks to comment."
    for lot in lots:
        if lot.term_months > LONGEST_TERM:
            yield (
                f"{lot.category_name}: a term of {lot.term_months} months is longer than the four years of"
                " Directive 2014/24/EU, Article 33(1)."
            )
        if lot.sure_quantity < lot.offer.tiers[0].from_quantity_high:
            yield (
                f"{lot.category_name}: the sure volume is within the range of the tipping volume"
                f" (up to {lot.offer.tiers[0].from_quantity_high:,}); ask the supplier again."
            )
    doubted = sorted({line.participant for lot in lots for line in lot.lines if line.doubts})
    if doubted:
        yield f"Lines whose volume or price is doubted, from {', '.join(doubted)}: have them confirmed first."
    for member in members:
        if not member.contracting_authority:
            yield f"{member.name} is no contracting authority here: it can be an associate, not a party."
    large = sorted(
        {
            f"{member.name} ({own.share:.0%} of {own.category_name})"
            for member in members
            for own in member.lots
            if own.share > LARGE_SHARE and len(members) > 2
        }
    )
    if large:
        yield f"Above {LARGE_SHARE:.0%} of a lot, a member's gain falls as its share grows: {', '.join(large)}."
