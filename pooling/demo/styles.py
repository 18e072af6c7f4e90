"""How the senders' systems write: headers, units, packs, dates, words for criteria. Their files and mappings follow it.

Made up in the manner of each country; no real buyer's file looks exactly like this.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal

from pooling.demand import words
from pooling.demo.catalogue import DATA
from pooling.demo.needs import Sender

NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class Style:
    """A system's way to write demand. ``headers``: canonical column to header, in the order of the file.

    ``packs``: where the size of a pack stands: in the unit ("pkt á 100"), in the article's name ("100 stk/pak"), in a
    column of its own. ``shared``: the mapping and code list that several senders have in common, by name; None: each
    has its own. ``day``: how days are written, as strftime takes it and as a mapping says it. ``sheet``: the sheet of
    our own template, which needs no mapping; None: a CSV.
    """

    name: str
    headers: Mapping[str, str]
    language: str
    units: Mapping[str, str]
    pack: str
    packs: Literal["unit", "name", "column"]
    packed: float
    day: tuple[str, str]
    delimiter: str = ";"
    encoding: str = "utf-8"
    thousands: str = ""
    price_places: int = 2
    shared: str | None = None
    vat_rate: int | None = None
    decimal: str | None = None
    sheet: str | None = None
    criteria: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def word(self, code: str) -> str:
        """The system's word for a criterion."""
        return self.criteria.get(code, code)


def _words(language: str) -> Mapping[str, str]:
    """A country's words for criteria, by code."""
    with (DATA / "criteria.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["criterion"]: row[language] for row in csv.DictReader(file)})


DANISH, NORWEGIAN, FINNISH = _words("da"), _words("nb"), _words("fi")
NORDIC_UNITS = MappingProxyType({"H87": "STK", "PR": "PAR", "SET": "SÆT", "KGM": "KG", "LTR": "LTR"})

DENMARK_A = Style(
    name="dk-a",
    headers=MappingProxyType(
        {
            "item_code": "Varenr.",
            "item_name": "Varebetegnelse",
            "unit": "Enhed",
            "quantity": "Årsforbrug",
            "unit_price": "Nettopris pr. enhed",
            "currency": "Valuta",
            "contract_end": "Aftale udløber",
            "extension_months": "Option (mdr.)",
            "required": "Miljøkrav",
            "refused": "Accepteres ikke",
        }
    ),
    language="da",
    units=NORDIC_UNITS,
    pack="PAK",
    packs="name",
    packed=0.6,
    day=("%d-%m-%Y", "d-m-Y"),
    encoding="cp1252",
    thousands=".",
    criteria=DANISH,
)
DENMARK_B = Style(
    name="dk-b",
    headers=MappingProxyType(
        {
            "item_name": "Tekst",
            "item_code": "Artikel",
            "quantity": "Forbrug pr. år",
            "unit": "ME",
            "unit_price": "Pris ekskl. moms",
            "currency": "Møntsort",
            "required": "Krav",
            "refused": "Fravalg",
            "contract_end": "Kontraktslut",
            "extension_months": "Forlængelse, mdr.",
        }
    ),
    language="da",
    units=MappingProxyType({**NORDIC_UNITS, "H87": "styk", "PR": "par", "SET": "sæt"}),
    pack="kasse",
    packs="unit",
    packed=0.4,
    day=("%d.%m.%Y", "d.m.Y"),
    encoding="cp1252",
    criteria=DANISH,
)
FINLAND = Style(
    name="fi",
    headers=MappingProxyType(
        {
            "participant": "Tilaaja",
            "item_code": "Tuotekoodi",
            "item_name": "Tuotenimi",
            "unit": "Yksikkö",
            "quantity": "Vuosimäärä",
            "unit_price": "Yksikköhinta (alv 0 %)",
            "currency": "Valuutta",
            "contract_end": "Sopimus päättyy",
            "extension_months": "Optio (kk)",
            "required": "Vaatimukset",
            "refused": "Ei hyväksytä",
        }
    ),
    language="fi",
    units=MappingProxyType({"H87": "kpl", "PR": "pari", "SET": "sarja", "KGM": "kg", "LTR": "litra"}),
    pack="pkt",
    packs="unit",
    packed=0.7,
    day=("%d.%m.%Y", "d.m.Y"),
    shared="finland",
    criteria=FINNISH,
)
NORWAY = Style(
    name="no",
    headers=MappingProxyType(
        {
            "participant": "RHF",
            "item_code": "Varenummer",
            "item_name": "Varenavn",
            "quantity": "Årlig volum",
            "unit": "Enhet",
            "pack_size": "Antall i pakke",
            "unit_price": "Pris per enhet",
            "currency": "Valuta",
            "contract_end": "Avtale utløper",
            "extension_months": "Opsjon (måneder)",
            "required": "Miljøkrav",
            "refused": "Aksepteres ikke",
        }
    ),
    language="nb",
    units=MappingProxyType({"H87": "stk", "PR": "par", "SET": "sett", "KGM": "kg", "LTR": "liter"}),
    pack="pk",
    packs="column",
    packed=0.5,
    day=("%d.%m.%Y", "d.m.Y"),
    encoding="cp1252",
    thousands=NBSP,
    shared="norway",
    criteria=NORWEGIAN,
)
ICELAND = Style(
    name="is",
    headers=MappingProxyType(
        {
            "item_code": "Vörunúmer",
            "item_name": "Vöruheiti",
            "quantity": "Magn á ári",
            "unit": "Eining",
            "pack_size": "Stk. í pakka",
            "unit_price": "Verð án vsk.",
            "currency": "Mynt",
            "contract_end": "Samningi lýkur",
            "extension_months": "Framlenging (mán.)",
            "required": "Kröfur",
            "refused": "Hafnað",
        }
    ),
    language="en",
    units=MappingProxyType({"H87": "stk", "PR": "par", "SET": "sett", "KGM": "kg", "LTR": "lítri"}),
    pack="pakki",
    packs="column",
    packed=1.0,
    day=("%d.%m.%Y", "d.m.Y"),
    thousands=".",
    price_places=0,
    decimal=",",
)
FAROE = Style(
    name="fo",
    headers=MappingProxyType(
        {
            "item_code": "Nr",
            "item_name": "Vare",
            "unit": "Enhed",
            "quantity": "Mængde pr. år",
            "unit_price": "Pris inkl. MVG",
            "currency": "Valuta",
            "contract_end": "Aftale til",
            "extension_months": "Option mdr",
            "required": "Krav",
            "refused": "Ikke",
        }
    ),
    language="da",
    units=NORDIC_UNITS,
    pack="PK",
    packs="unit",
    packed=0.5,
    day=("%d-%m-%Y", "d-m-Y"),
    delimiter="\t",
    vat_rate=25,
    criteria=DANISH,
)
GREENLAND = Style(
    name="gl",
    headers=MappingProxyType(
        {
            **FAROE.headers,
            "item_code": "Varenummer",
            "quantity": "Årsforbrug",
            "unit_price": "Pris",
            "contract_end": "Kontrakt udløber",
        }
    ),
    language="da",
    units=NORDIC_UNITS,
    pack="PAK",
    packs="name",
    packed=0.5,
    day=("%Y-%m-%d", ""),
    encoding="utf-8-sig",
    criteria=DANISH,
)


FILLED_IN = (
    "participant",
    "category",
    "item_name",
    "quantity",
    "quantity_low",
    "quantity_high",
    "unit",
    "pack_size",
    "unit_price",
    "currency",
    "price_basis",
    "delivered",
    "contract_end",
    "extension_months",
    "window_source",
    "required",
    "refused",
)


@cache
def template() -> Style:
    """Our own workbook as Swedish regions fill it in: its headers, sheet and words are the template's."""
    units = words.words()["units"]["sv"]
    return Style(
        name="template",
        headers=MappingProxyType({name: words.header(name, "sv") for name in FILLED_IN}),
        language="sv",
        units=MappingProxyType({code: units[code] for code in ("H87", "PR", "SET", "KGM", "LTR")}),
        pack=units["PK"],
        packs="column",
        packed=0.5,
        day=("%Y-%m-%d", ""),
        sheet=words.words()["sheets"]["demand"]["sv"],
    )


_BY_CODE = {
    **dict.fromkeys(("DK-84", "DK-85"), DENMARK_A),
    **dict.fromkeys(("DK-83", "DK-82", "DK-81"), DENMARK_B),
    "IS": ICELAND,
    "FO": FAROE,
    "GL": GREENLAND,
}
_BY_COUNTRY = {"NO": NORWAY, "FI": FINLAND}


def style_of(sender: Sender) -> Style:
    """The sender's way to write; Sweden, Åland and whoever has no system of its own here fill in our template."""
    if sender.code == "FI-01":
        return template()
    return _BY_CODE.get(sender.code) or _BY_COUNTRY.get(sender.country) or template()
