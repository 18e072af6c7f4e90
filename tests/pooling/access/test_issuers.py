"""The file of issuers: what is read, and what is refused with its place and remedy."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from pooling.access.issuers import Issuer, read_issuers
from pooling.access.rules import SCOPES
from pooling.access.tokens import from_file
from pooling.errors import BadSetting
from tests.pooling.access.issuing import AUDIENCE, ISSUER, KID, RSA_KEY, claims, public_jwk, token
from tests.pooling.access.test_tokens import NOW

RIGHT = {
    "issuer": f'"{ISSUER}"',
    "audiences": f'["{AUDIENCE}"]',
    "algorithms": '["RS256"]',
    "jwks_uri": '"https://issuer.example/jwks"',
}


def written(folder: Path, **changes: str) -> Path:
    """A file with one issuer; a change to nothing leaves the setting out."""
    file = folder / "issuers.toml"
    settings = {name: value for name, value in {**RIGHT, **changes}.items() if value}
    file.write_text("[[issuer]]\n" + "\n".join(f"{name} = {value}" for name, value in settings.items()), "utf-8")
    return file


def test_an_issuer_is_read_with_its_defaults(tmp_path: Path) -> None:
    (found,) = read_issuers(written(tmp_path, org_claim='"consumer.ID"', scope_map='{"a" = ["pools:read"]}'))
    assert (found.issuer, found.audiences, found.algorithms) == (ISSUER, (AUDIENCE,), ("RS256",))
    assert (found.subject_claim, found.org_claim, found.skew_s) == ("sub", "consumer.ID", 60)
    assert found.scope_map == {"a": {"pools:read"}}


def test_keys_can_lie_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [public_jwk(RSA_KEY, KID)]}), "utf-8")
    issuers = from_file(written(tmp_path, jwks_uri="", jwks_file='"keys.json"'))
    assert issuers.verify(token(claims(NOW)), NOW).subject == "erp-7"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"algorithms": '["none"]'}, "cannot be taken"),
        ({"algorithms": '["RS256", "HS256"]'}, r"\['HS256'\] cannot be taken"),
        ({"algorithms": "[]"}, "cannot be taken"),
        ({"algorithms": '"RS256"'}, "list of texts"),
        ({"algorithms": ""}, "algorithms must be given"),
        ({"audiences": "[]"}, "must be given"),
        ({"issuer": '""'}, "must be given"),
        ({"issuer": "7"}, "issuer must be a str"),
        ({"jwks_uri": ""}, "one of jwks_uri and jwks_file"),
        ({"jwks_file": '"keys.json"'}, "one of jwks_uri and jwks_file"),
        ({"jwks_uri": "", "jwks_file": '"keys.json"'}, "is not there"),
        ({"jwks_uri": '"http://issuer.example/jwks"'}, "https://"),
        ({"jwks_uri": '"https://user:word@issuer.example/jwks"'}, "without user"),
        ({"jwks_uri": '"file:///etc/passwd"'}, "address"),
        ({"skew_s": "61"}, "0 to 60"),
        ({"skew_s": "true"}, "skew_s must be a int"),
        ({"scope_map": '{"a" = ["pool:read"]}'}, "did you mean pools:read"),
        ({"scope_map": '{"a" = "pools:read"}'}, "list of texts"),
        ({"scope_map": '"a"'}, "table of lists"),
        ({"org_clame": '"x"'}, "did you mean org_claim"),
    ],
)
def test_what_is_wrong_is_told_at_the_start(tmp_path: Path, changes: dict[str, str], told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        read_issuers(written(tmp_path, **changes))


@pytest.mark.parametrize("content", ["issuer = 7", "[issuer]\na=1", "[[issuers]]\na=1", "not toml", "\xff"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "issuers.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadSetting, match=r"issuers\.toml"):
        read_issuers(file)


def test_an_issuer_is_given_once(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(f"{file.read_text('utf-8')}\n{file.read_text('utf-8')}", "utf-8")
    with pytest.raises(BadSetting, match="twice"):
        read_issuers(file)


def test_an_unreadable_key_file_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"keys": []}', "utf-8")
    with pytest.raises(BadSetting, match=r"keys\.json"):
        from_file(written(tmp_path, jwks_uri="", jwks_file='"keys.json"'))


def test_the_issuers_of_the_document_are_right_and_every_setting_is_explained(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "access.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "regions-jwks.json").write_text(json.dumps({"keys": [public_jwk(RSA_KEY, KID)]}), "utf-8")
    (tmp_path / "issuers.toml").write_text(shown, "utf-8")
    assert len(read_issuers(tmp_path / "issuers.toml")) == 2
    explained = set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL)))
    assert {each.name for each in fields(Issuer)} | SCOPES | {"planted"} <= explained | {"planted"}
    assert "planted" not in explained
