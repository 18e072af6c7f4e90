"""How green a demand or an offer is, as rising steps of criteria for each kind of goods, and who tends to ask for what.

The criteria are those of the reference data; which step a country tends to ask for is made up.
"""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from pooling.demo.catalogue import Item

PLASTIC = ("phthalate-free",), ("pvc-free",), ("nordic-swan-098", "packaging-reduced")
TEXTILE = ("uhm-basic",), ("uhm-advanced",), ("uhm-spearhead", "bio-based")
GLOVE = ("uhm-basic", "code-of-conduct"), ("uhm-advanced", "due-diligence-clause"), ("uhm-spearhead", "no-reach-svhc")
PAPER = ("packaging-reduced",), ("type-1-ecolabel",), ("eu-ecolabel", "packaging-recycled")
INSTRUMENT = ("code-of-conduct",), ("due-diligence-clause",), ("reusable", "environmental-management")
DEVICE = ("environmental-management",), ("net-zero-plan",), ("epd-iso-14025",)
PACKED = ("packaging-reduced",), ("packaging-recyclable",), ("packaging-recycled", "net-zero-plan")

Steps = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
LADDERS: Mapping[str, Steps] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "dialysis",
                "enteral-nutrition",
                "infusion",
                "respiratory-and-anaesthesia",
                "stoma",
                "transfusion",
                "urology",
            ),
            PLASTIC,
        ),
        **dict.fromkeys(("drapes-and-packs", "protective-clothing", "textiles"), TEXTILE),
        "gloves": GLOVE,
        **dict.fromkeys(("hygiene", "incontinence", "paper", "ward-disposables"), PAPER),
        **dict.fromkeys(("minimally-invasive-surgery", "surgical-instruments", "wound-closure"), INSTRUMENT),
        **dict.fromkeys(("beds-and-mobility", "implants", "medical-equipment"), DEVICE),
    }
)
# goods whose greenest form is another than the family's
SPECIAL: Mapping[str, Steps] = MappingProxyType(
    dict.fromkeys(
        (
            "surgical-gowns-standard-performance-single-use",
            "surgical-gowns-reinforced-high-performance",
            "isolation-non-surgical-gowns",
        ),
        (("uhm-basic",), ("uhm-advanced",), ("uhm-spearhead", "reusable")),
    )
)
# country: how often a buyer asks for nothing, the first, second and third step of a family's ladder
TENDENCIES: Mapping[str, tuple[int, int, int, int]] = MappingProxyType(
    {
        "SE": (10, 42, 40, 8),
        "NO": (10, 45, 38, 7),
        "DK": (20, 50, 26, 4),
        "FI": (30, 50, 18, 2),
        "IS": (35, 45, 17, 3),
        "FO": (80, 20, 0, 0),
        "GL": (80, 20, 0, 0),
    }
)


def steps(item: Item) -> Steps:
    """The ladder of the item's goods; those without one of their own are judged by their packaging."""
    return SPECIAL.get(item.category) or LADDERS.get(item.family, PACKED)


def reached(item: Item, step: int) -> tuple[str, ...]:
    """All criteria of the ladder up to and including ``step`` (0 to 2), sorted."""
    return tuple(sorted({code for part in steps(item)[: step + 1] for code in part}))


def asked(dice: Random, item: Item, *, country: str) -> tuple[str, ...]:
    """What a buyer of that country requires; empty: nothing."""
    step = dice.choices(range(-1, 3), TENDENCIES[country])[0]
    return steps(item)[step] if step >= 0 else ()


def refused(dice: Random, item: Item, *, country: str) -> tuple[str, ...]:
    """What a buyer does not accept: a few have no laundry or sterilising for reusables, or doubt bio-based plastic."""
    doubt = dice.random()
    top = steps(item)[2]
    if "reusable" in top and doubt < (0.3 if country in ("FI", "IS", "FO", "GL") else 0.1):
        return ("reusable",)
    return ("bio-based",) if "bio-based" in top and doubt < 0.12 else ()
