"""Tokens of configured issuers: which are taken, which are refused, and how often an issuer is asked for its keys."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pooling.access.issuers import Issuer
from pooling.access.tokens import Claims, Issuers
from pooling.errors import NotAuthenticated
from pooling.problems import NotReady
from tests.pooling.access.issuing import (
    AUDIENCE,
    EC_KEY,
    ISSUER,
    KID,
    OTHER_RSA_KEY,
    RSA_KEY,
    Published,
    claims,
    forged,
    public_jwk,
    public_pem,
    publishing,
    token,
)

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def published() -> Iterator[Published]:
    with publishing() as found:
        yield found


def maskinporten(published: Published, **changes: Any) -> Issuer:
    """An issuer in the shape of Maskinporten."""
    settings: dict[str, Any] = {
        "issuer": ISSUER,
        "audiences": (AUDIENCE,),
        "algorithms": ("RS256", "ES256"),
        "jwks_uri": published.address,
        "org_claim": "consumer.ID",
        "delegate_claim": "supplier.ID",
        "scope_map": {"nordic:forecasts": frozenset({"forecasts:read", "forecasts:write"})},
    }
    return Issuer(**{**settings, **changes})


@pytest.fixture
def issuers(published: Published) -> Issuers:
    return Issuers([maskinporten(published)])


def test_a_right_token_says_who_comes_for_which_organisation_with_which_scopes(issuers: Issuers) -> None:
    found = issuers.verify(token(claims(NOW)), NOW)
    scopes = frozenset({"forecasts:read", "forecasts:write"})
    assert found == Claims(ISSUER, "erp-7", "0192:923609016", None, scopes)


def test_a_delegated_supplier_is_on_record_and_the_consumer_is_who_comes(issuers: Issuers) -> None:
    said = claims(NOW, supplier={"authority": "iso6523-actorid-upis", "ID": "0192:991825827"})
    found = issuers.verify(token(said), NOW)
    assert (found.organisation_id, found.delegate) == ("0192:923609016", "0192:991825827")


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "JWT", None])
def test_types_of_access_tokens_are_taken(issuers: Issuers, kind: str | None) -> None:
    assert issuers.verify(token(claims(NOW), typ=kind), NOW).subject == "erp-7"


def test_only_at_jwt_where_the_issuer_says_so(published: Published) -> None:
    strict = Issuers([maskinporten(published, at_jwt_only=True)])
    assert strict.verify(token(claims(NOW), typ="at+jwt"), NOW).subject == "erp-7"
    with pytest.raises(NotAuthenticated, match="no access token"):
        strict.verify(token(claims(NOW)), NOW)


def test_a_bare_number_gets_the_register_of_the_issuer(published: Published) -> None:
    danish = Issuers([maskinporten(published, org_claim="cvr", org_register="0184")])
    assert danish.verify(token(claims(NOW, cvr="DK 29 19 06 23")), NOW).organisation_id == "0184:29190623"


def test_a_null_is_no_supplier(issuers: Issuers) -> None:
    said = token({**claims(NOW), "supplier": None})
    assert issuers.verify(said, NOW).delegate is None


ATTACKS: dict[str, Callable[[], str]] = {
    "alg none": lambda: forged(claims(NOW), {"alg": "none", "kid": KID}, None),
    "alg none in capitals": lambda: forged(claims(NOW), {"alg": "NONE", "kid": KID}, None),
    "HS256 with the public key as secret": lambda: forged(claims(NOW), {"alg": "HS256", "kid": KID}, public_pem()),
    "RS256 said, HMAC made": lambda: forged(claims(NOW), {"alg": "RS256", "kid": KID}, public_pem()),
    "an algorithm that is not allowed": lambda: token(claims(NOW), algorithm="RS512"),
    "another issuer": lambda: token(claims(NOW, iss="https://evil.example/")),
    "an issuer that is like ours": lambda: token(claims(NOW, iss=ISSUER.rstrip("/"))),
    "no issuer": lambda: token(claims(NOW, iss=None)),
    "another audience": lambda: token(claims(NOW, aud="https://other.example")),
    "an audience that begins like ours": lambda: token(claims(NOW, aud=AUDIENCE + ".evil.example")),
    "no audience": lambda: token(claims(NOW, aud=None)),
    "expired": lambda: token(claims(NOW, exp=int(NOW.timestamp()) - 61)),
    "no expiry": lambda: token(claims(NOW, exp=None)),
    "expiry that is no time": lambda: forged(claims(NOW, exp="never"), {"alg": "RS256", "kid": KID}, b""),
    "endless expiry": lambda: token(claims(NOW, exp=2**40)),
    "not valid yet": lambda: token(claims(NOW, nbf=int(NOW.timestamp()) + 61)),
    "issued in the future": lambda: token(claims(NOW, iat=int(NOW.timestamp()) + 61)),
    "another one's key under our key's id": lambda: token(claims(NOW), key=OTHER_RSA_KEY),
    "an unknown key id": lambda: token(claims(NOW), key=OTHER_RSA_KEY, kid="key-2"),
    "no key id": lambda: token(claims(NOW), kid=None),
    "jku": lambda: token(claims(NOW), key=OTHER_RSA_KEY, jku="https://evil.example/jwks"),
    "jku beside a right signature": lambda: token(claims(NOW), jku="https://evil.example/jwks"),
    "x5u": lambda: token(claims(NOW), key=OTHER_RSA_KEY, x5u="https://evil.example/chain.pem"),
    "jwk": lambda: token(claims(NOW), key=OTHER_RSA_KEY, jwk=public_jwk(OTHER_RSA_KEY, KID)),
    "crit": lambda: token(claims(NOW), crit=["b64"], b64=True),
    "an id token": lambda: token(claims(NOW), typ="id+jwt"),
    "an organisation with a wrong check digit": lambda: token(claims(NOW, consumer={"ID": "0192:923609017"})),
    "a supplier that is no organisation": lambda: token(claims(NOW, supplier={"ID": "0192:1"})),
    "a supplier that is a text": lambda: token(claims(NOW, supplier="0192:984661185")),
    "a supplier under another name": lambda: token(claims(NOW, supplier={"id": "0192:991825827"})),
    "a supplier that is a number": lambda: token(claims(NOW, supplier={"ID": 5})),
    "a supplier without its number": lambda: token(claims(NOW, supplier={"ID": None})),
    "a supplier that is a list": lambda: token(claims(NOW, supplier=[{"ID": "0192:991825827"}])),
    "a supplier that is empty": lambda: token(claims(NOW, supplier="")),
    "an organisation that is a number": lambda: token(claims(NOW, consumer={"ID": 923609016})),
    "an organisation that is a text": lambda: token(claims(NOW, consumer="0192:923609016")),
    "a subject with NUL": lambda: token(claims(NOW, sub="erp\0-7")),
    "a subject with half of a character": lambda: token(claims(NOW, sub="erp-\ud83d")),
    "a subject with a line feed": lambda: token(claims(NOW, sub="erp-7\n")),
    "an organisation with NUL": lambda: token(claims(NOW, consumer={"ID": "0192:923609016\0"})),
    "no subject": lambda: token(claims(NOW, sub=None)),
    "no token at all": lambda: "e30.e30",
    "an encrypted token": lambda: "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d",
    "changed after it was signed": lambda: _changed(token(claims(NOW))),
}


def _changed(right: str) -> str:
    header, _, signature = right.split(".")
    middle = token(claims(NOW, sub="somebody-else")).split(".")[1]
    return f"{header}.{middle}.{signature}"


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_attacks_are_refused(issuers: Issuers, attack: str) -> None:
    with pytest.raises(NotAuthenticated):
        issuers.verify(ATTACKS[attack](), NOW)


def test_a_clock_may_be_a_minute_off(issuers: Issuers) -> None:
    seconds = int(NOW.timestamp())
    late = token(claims(NOW, exp=seconds - 59))
    early = token(claims(NOW, nbf=seconds + 59, iat=seconds + 59))
    assert issuers.verify(late, NOW).subject == issuers.verify(early, NOW).subject == "erp-7"


def test_keys_are_fetched_once_and_kept(issuers: Issuers, published: Published) -> None:
    for second in range(50):
        issuers.verify(token(claims(NOW)), NOW + timedelta(seconds=second))
    assert published.fetched == 1


def test_a_flood_of_unknown_key_ids_asks_the_issuer_once_a_minute(issuers: Issuers, published: Published) -> None:
    for second in range(180):
        at = NOW + timedelta(seconds=second)
        with pytest.raises(NotAuthenticated):
            issuers.verify(token(claims(at), key=OTHER_RSA_KEY, kid=f"unknown-{second}"), at)
    assert published.fetched == 3


def test_a_new_key_is_found_when_its_id_turns_up(issuers: Issuers, published: Published) -> None:
    issuers.verify(token(claims(NOW)), NOW)
    published.keys.append(public_jwk(EC_KEY, "key-2", alg="ES256"))
    later = NOW + timedelta(seconds=61)
    found = issuers.verify(token(claims(later), key=EC_KEY, algorithm="ES256", kid="key-2"), later)
    assert (found.subject, published.fetched) == ("erp-7", 2)


def test_a_withdrawn_key_is_not_taken_once_the_keys_are_fetched_again(issuers: Issuers, published: Published) -> None:
    issuers.verify(token(claims(NOW)), NOW)
    published.keys = [public_jwk(OTHER_RSA_KEY, "key-2")]
    later = NOW + timedelta(minutes=11)
    with pytest.raises(NotAuthenticated):
        issuers.verify(token(claims(later)), later)


def test_last_keys_are_good_while_the_issuer_does_not_answer_but_not_for_ever(
    issuers: Issuers, published: Published
) -> None:
    issuers.verify(token(claims(NOW)), NOW)
    published.status = 500
    later = NOW + timedelta(hours=23)
    assert issuers.verify(token(claims(later)), later).subject == "erp-7"
    too_late = NOW + timedelta(hours=25)
    with pytest.raises(NotReady):
        issuers.verify(token(claims(too_late)), too_late)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_without_any_keys_the_service_is_not_ready_rather_than_the_token_wrong(
    issuers: Issuers, published: Published, status: int
) -> None:
    published.status = status
    with pytest.raises(NotReady, match="try again in a minute"):
        issuers.verify(token(claims(NOW)), NOW)
    assert published.fetched == 1


def test_shared_secrets_short_keys_and_foreign_keys_of_a_set_are_never_used(published: Published) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    published.keys = [
        {"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "kid": "oct", "use": "sig"},
        {**public_jwk(RSA_KEY, "for-encryption"), "use": "enc"},
        {**public_jwk(RSA_KEY, "for-rs512"), "alg": "RS512"},
        "nonsense",
        public_jwk(RSA_KEY, KID),
    ]
    issuers = Issuers([maskinporten(published)])
    assert issuers.verify(token(claims(NOW)), NOW).subject == "erp-7"
    for wrong in (
        forged(claims(NOW), {"alg": "HS256", "kid": "oct"}, secret),
        token(claims(NOW), kid="for-encryption"),
        token(claims(NOW), kid="for-rs512"),
        token(claims(NOW), key=EC_KEY, algorithm="ES256", kid=KID),
    ):
        with pytest.raises(NotAuthenticated):
            issuers.verify(wrong, NOW)


def test_each_issuer_has_its_own_keys_audience_and_scopes(published: Published) -> None:
    with publishing() as others:
        others.keys = [public_jwk(OTHER_RSA_KEY, KID)]
        second = maskinporten(others, issuer="https://second.example", audiences=("pooling",), scope_map={})
        both = Issuers([maskinporten(published), second])
        said = claims(NOW, iss="https://second.example", aud="pooling")
        assert both.verify(token(said, key=OTHER_RSA_KEY), NOW).scopes == frozenset()
        with pytest.raises(NotAuthenticated):
            both.verify(token(said, key=RSA_KEY), NOW)


def test_without_issuers_no_token_is_taken() -> None:
    with pytest.raises(NotAuthenticated, match="no issuer"):
        Issuers().verify(token(claims(NOW)), NOW)
