"""The policy of a plan, read from TOML: what planners decide, checked key by key before anything is solved."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pooling.errors import BadSetting, did_you_mean
from pooling.planning.policy_keys import NONE, Check
from pooling.planning.rules import Timetable, is_month, month_after

DEFAULT = Path(__file__).parent / "data" / "policy.toml"
LEAD_TIME_USUAL = range(9, 19)  # months; two joint Nordic rounds took 18 to 20, single phases can run side by side

AMOUNTS = (
    "carbon_price_eur_per_tonne",
    "bridging_rate_per_year",
    "pool_cost_eur",
    "lot_cost_eur",
    "line_cost_eur",
    "country_cost_eur",
    "stability_eur",
)
LIMITS = (
    "max_pools_per_quarter",
    "max_participants_per_pool",
    "max_countries_per_pool",
    "participant_max_leads",
    "participant_max_pools_per_quarter",
)
COUNTS = {"horizon_months": 600, "term_months": 600, "min_participants": 1000}
SHARES = {"confidence": 0.5, "forecast_correlation": 0.0}
OF_THE_INSTANCE = (
    "horizon_start",
    "horizon_months",
    "term_months",
    "min_participants",
    "confidence",
    "forecast_correlation",
    "criterion_value",
    *AMOUNTS,
    "no_one_worse_off",
    "green_floor",
    *LIMITS[:3],
)


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy. Money is EUR, rates and worths are shares of yearly spend; a limit of None is none.

    ``horizon_start`` (``YYYY-MM``) is never earlier than ``as_of`` plus the lead time.
    """

    name: str
    as_of: date
    lead_time_months: int
    lead_time_reason: str
    horizon_start: str
    horizon_months: int
    term_months: int
    min_participants: int
    confidence: float
    forecast_correlation: float
    carbon_price_eur_per_tonne: float
    bridging_rate_per_year: float
    pool_cost_eur: float
    lot_cost_eur: float
    line_cost_eur: float
    country_cost_eur: float
    stability_eur: float
    no_one_worse_off: bool
    green_floor: tuple[str, ...]
    max_pools_per_quarter: int | None
    max_participants_per_pool: int | None
    max_countries_per_pool: int | None
    participant_max_leads: int | None
    participant_max_pools_per_quarter: int | None
    criterion_value: Mapping[str, float]
    category_term_months: Mapping[str, int]
    timetable: Timetable

    def to_document(self) -> dict[str, Any]:
        """Every field, ready for JSON; what a snapshot keeps."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {
            "as_of": self.as_of.isoformat(),
            "green_floor": list(self.green_floor),
            "criterion_value": dict(self.criterion_value),
            "category_term_months": dict(self.category_term_months),
            "timetable": {name: getattr(self.timetable, name) for name in Timetable.__slots__},
        }

    def of_instance(self) -> dict[str, Any]:
        """The ``policy`` object of ``pooling.instance/1``."""
        document = self.to_document()
        return {name: document[name] for name in OF_THE_INSTANCE}


@dataclass(frozen=True, slots=True)
class Codes:
    """The criteria and categories that a policy may name."""

    criteria: Collection[str]
    categories: Collection[str]


def read_policy(path: Path | None, *, today: date, codes: Codes | None = None) -> Policy:
    """The policy in ``path`` over the packaged default; None is the default alone. ``today`` stands in for ``as_of``.

    Raises BadSetting with every fault: path of the key, value and remedy. With ``codes``, criteria and categories that
    are not among them are faults too; without, they are found when an instance is built.
    """
    given = _document(path) if path else {}
    return policy_of(given, today=today, place=path.name if path else DEFAULT.name, codes=codes)


def policy_of(given: Mapping[str, Any], *, today: date, place: str = "policy", codes: Codes | None = None) -> Policy:
    """The policy of a document in the file's form; see `read_policy`."""
    default = _document(DEFAULT)
    faults = _unknown(given, default)
    merged = default | {key: value for key, value in given.items() if key not in ("criterion_value", "timetable")}
    for table in ("criterion_value", "timetable"):
        own = given.get(table, {})
        merged[table] = default[table] | own if isinstance(own, dict) else own
    merged.setdefault("as_of", today)
    merged.setdefault("lead_time_reason", "")
    check = Check(merged, faults)
    values = _checked(check)
    values["horizon_start"] = _horizon_start(values, merged.get("horizon_start"), check)
    if codes is not None:
        faults += unknown_names(values, codes)
    if faults:
        raise refusal(place, faults)
    return Policy(**values)


def policy_kept(document: Mapping[str, Any]) -> Policy:
    """The policy that `Policy.to_document` wrote."""
    given = dict(document) | {"as_of": date.fromisoformat(document["as_of"])}
    given |= {name: NONE for name in LIMITS if document[name] is None}
    return policy_of(given, today=given["as_of"], place=f"policy {document['name']!r}")


def refusal(place: str, faults: Sequence[str]) -> BadSetting:
    """The one refusal of a policy, with all its faults."""
    return BadSetting("\n  ".join([f"{place}: {len(faults)} to correct", *faults]))


def unknown_names(values: Mapping[str, Any], codes: Codes) -> list[str]:
    """Where the fields of a policy name a criterion or category that is not known."""
    wanted = [(f"criterion_value.{code}", code, codes.criteria) for code in values["criterion_value"]]
    wanted += [("green_floor", code, codes.criteria) for code in values["green_floor"]]
    wanted += [(f"category_term_months.{key}", key, codes.categories) for key in values["category_term_months"]]
    return [
        f"{place}: {name!r} is not known; {did_you_mean(name, known, 'add it to the reference data first')}"
        for place, name, known in wanted
        if name not in known
    ]


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as failure:
        raise BadSetting(f"{path}: cannot be read ({failure.strerror}); give the path of a policy file") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise BadSetting(f"{path.name}: not TOML ({failure}); correct it there") from failure


def _unknown(given: Mapping[str, Any], default: Mapping[str, Any]) -> list[str]:
    known = {*default, "as_of", "lead_time_reason", "horizon_start"}
    faults = [f"{key}: unknown key; {_instead(key, known)}" for key in given if key not in known]
    timetable = given.get("timetable", {})
    if isinstance(timetable, dict):
        parts = set(Timetable.__slots__)
        faults += [f"timetable.{key}: unknown key; {_instead(key, parts)}" for key in timetable if key not in parts]
    return faults


def _instead(key: str, known: set[str]) -> str:
    return did_you_mean(key, sorted(known), f"known are {', '.join(sorted(known))}")


def _checked(check: Check) -> dict[str, Any]:
    """The values of all fields but ``horizon_start``."""
    values: dict[str, Any] = {key: check.text(key) for key in ("name", "lead_time_reason")}
    values["as_of"] = check.day("as_of")
    values["lead_time_months"] = check.whole("lead_time_months", most=120, least=0)
    values |= {key: check.whole(key, most=most) for key, most in COUNTS.items()}
    values |= {key: check.share(key, least) for key, least in SHARES.items()}
    values |= {key: check.amount(key, check.document[key]) for key in AMOUNTS}
    values |= {key: check.limit(key) for key in LIMITS}
    values["no_one_worse_off"] = check.flag("no_one_worse_off")
    values["green_floor"] = check.codes("green_floor")
    values["criterion_value"] = MappingProxyType(
        {key: check.amount(f"criterion_value.{key}", value) for key, value in check.table("criterion_value").items()}
    )
    values["category_term_months"] = MappingProxyType(
        {
            key: check.number(f"category_term_months.{key}", value, least=1, most=600)
            for key, value in check.table("category_term_months").items()
        }
    )
    parts = check.table("timetable")
    lengths = {key: check.number(f"timetable.{key}", parts[key], least=1, most=1000) for key in Timetable.__slots__}
    values["timetable"] = Timetable(**lengths)
    return values


def _horizon_start(values: Mapping[str, Any], given: Any, check: Check) -> str:
    """The first month of the horizon; where its day or lead time is wrong, only its own form is looked at."""
    lead, reason = values["lead_time_months"], values["lead_time_reason"]
    if "lead_time_months" not in check.wrong and lead not in LEAD_TIME_USUAL and not reason:
        check.faults.append(
            f"lead_time_months: {lead}: a joint tender needs {LEAD_TIME_USUAL[0]} to {LEAD_TIME_USUAL[-1]} months;"
            " give one of them, or say in lead_time_reason why not"
        )
    first = None if check.wrong & {"as_of", "lead_time_months"} else month_after(values["as_of"], lead)
    if given is None:
        return first or ""
    if not is_month(given):
        check.faults.append(f"horizon_start: {given!r}: give a month as YYYY-MM, zero-padded")
    elif first is not None and given < first:
        check.faults.append(
            f"horizon_start: {given}: earlier than as_of {values['as_of']} plus a lead time of {lead} months;"
            f" give {first} or later"
        )
    return str(given)
