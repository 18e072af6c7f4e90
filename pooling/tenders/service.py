"""What other subjects may ask of tenders, inside the open transaction they hand over."""

from pooling.tenders.holding import holds
from pooling.tenders.queries import lots_of, members_of, of_cycle, of_statuses, tender_of
from pooling.tenders.succession import succeed

__all__ = ["holds", "lots_of", "members_of", "of_cycle", "of_statuses", "succeed", "tender_of"]
