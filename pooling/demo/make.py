"""The whole demonstration as files in memory: what regions send, how it is mapped, offers and policy. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from pooling.demo.catalogue import Item
from pooling.demo.files import add_codes, code_list, file_bytes, file_name, item_codes, rows
from pooling.demo.folder import CORRECTED, INBOX, MAPPINGS, OFFERS, POLICY
from pooling.demo.mappings import codes_csv, mapping_toml
from pooling.demo.needs import Sender, needs, nordic_volume, spread
from pooling.demo.offers import offers
from pooling.demo.policy import policy_toml
from pooling.demo.slips import Slip, correct, plant
from pooling.demo.styles import Style, style_of
from pooling.market.files import write_csv

AS_OF = date(2026, 10, 30)  # the day the demonstration looks out from; the packaged exchange rates reach it


@dataclass(frozen=True, slots=True)
class Sent:
    """A sender's file: its place in the folder, how many rows, and the mapping it is read by (None: our template)."""

    sender: Sender
    path: str
    rows: int
    mapping: str | None


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Everything in a demonstration's folder before anything is loaded: path to content, who sent what, the slips.

    ``corrected`` are the files that senders send again once they have been asked about what was flagged.
    """

    files: Mapping[str, bytes]
    sent: tuple[Sent, ...]
    corrected: tuple[Sent, ...]
    slips: tuple[Slip, ...]
    offers: int


def make(senders: Sequence[Sender], items: Sequence[Item], *, rates: Mapping[str, Decimal], seed: int) -> Demonstration:
    """Files for these senders and items; ``rates``: currency to how much of it cost one EUR. Same seed, same files."""
    found = needs(senders, items, seed=seed)
    files: dict[str, bytes] = {}
    sent, corrected, slips = [], [], []
    for sender in senders:
        own = [need for need in found if need.sender == sender]
        if not own:
            continue
        style = style_of(sender)
        name = file_name(sender, style)
        written = rows(own, style, per_eur=rates[sender.currency], seed=seed)
        add_codes(written, _codes(code_list(style, sender), items, seed))
        mistakes = plant(written, style, sender=sender.code, file=name)
        first = Sent(sender, f"{INBOX}/{name}", len(own), _mapping(style, sender))
        sent.append(first)
        slips += mistakes
        files[first.path] = file_bytes(written, style)
        if correct(written, mistakes):
            corrected.append(replace(first, path=f"{CORRECTED}/{name}"))
            files[corrected[-1].path] = file_bytes(written, style)
    files |= _mappings([one.sender for one in sent], items, seed=seed)
    made = offers(items, nordic_volume(found), seed=seed, as_of=AS_OF)
    files[OFFERS] = write_csv(made).encode()
    files[POLICY] = policy_toml(AS_OF).encode()
    return Demonstration(files, tuple(sent), tuple(corrected), tuple(slips), len(made))


def _mapping(style: Style, sender: Sender) -> str | None:
    return None if style.sheet else f"{MAPPINGS}/{code_list(style, sender)}.toml"


def _codes(name: str, items: Sequence[Item], seed: int) -> dict[str, str]:
    return item_codes(name, (item.category for item in items), seed=seed)


def _mappings(senders: Sequence[Sender], items: Sequence[Item], *, seed: int) -> dict[str, bytes]:
    """A mapping with its code list for each sender, or for all that share one."""
    users: dict[str, tuple[Style, list[Sender]]] = {}
    for sender in senders:
        style = style_of(sender)
        if not style.sheet:
            users.setdefault(code_list(style, sender), (style, []))[1].append(sender)
    files: dict[str, bytes] = {}
    for name, (style, using) in users.items():
        share = spread(name, seed=seed)
        text = mapping_toml(name, style, senders=using, items=items, day=AS_OF, spread=share)
        files[f"{MAPPINGS}/{name}.toml"] = text.encode()
        files[f"{MAPPINGS}/{name}-codes.csv"] = codes_csv(_codes(name, items, seed)).encode()
    return files
