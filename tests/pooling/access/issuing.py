"""An issuer of tokens for tests: keys of its own, tokens right and wrong, and its keys on a real HTTP server."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example/"
AUDIENCE = "https://pooling.example"
KID = "key-1"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """The public half of a key, as an issuer publishes it."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


@dataclass
class Published:
    """A JWK Set on a loopback server; ``fetched`` counts how often it was asked for."""

    address: str = ""
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk(RSA_KEY, KID)])
    status: int = 200
    fetched: int = 0


@contextmanager
def publishing() -> Iterator[Published]:
    """Publish keys while the block runs."""
    published = Published()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.fetched += 1
            content = json.dumps({"keys": published.keys}).encode()
            self.send_response(published.status)
            if published.status == 302:
                self.send_header("Location", published.address)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    published.address = f"http://127.0.0.1:{server.server_address[1]}/jwks"
    try:
        yield published
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def claims(now: datetime, **changes: Any) -> dict[str, Any]:
    """What a right token says; a change to None leaves a claim out."""
    seconds = int(now.timestamp())
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "erp-7",
        "iat": seconds,
        "exp": seconds + 120,
        "scope": "nordic:forecasts nordic:unknown",
        "consumer": {"authority": "iso6523-actorid-upis", "ID": "0192:923609016"},
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


def token(
    said: dict[str, Any], *, key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = KID, **headers: Any
) -> str:
    """A signed token."""
    named = headers if kid is None else {"kid": kid, **headers}
    return jwt.encode(said, key, algorithm=algorithm, headers=named)


def forged(said: dict[str, Any], header: dict[str, Any], secret: bytes | None) -> str:
    """A token put together by hand: signed by HMAC with ``secret``, or not at all."""
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, said))
    signature = b"" if secret is None else hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encoded(signature)}"


def public_pem() -> bytes:
    """The public key as text: what an HS256 forger takes for the secret."""
    return RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
