"""A reverse proxy before a real auth service, with one fault each: what stands between an API and its key set."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PAGE = b"<!doctype html><title>Welcome</title><div id=root></div>"
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


class Proxy(BaseHTTPRequestHandler):
    """Passes on what it is asked for, but for its fault."""

    fault = ""
    service = ""
    keys: Any = None

    def do_GET(self) -> None:
        getattr(self, f"be_{self.fault.replace('-', '_') or 'plain'}", self.be_plain)()

    def be_plain(self, **headers: str) -> None:
        if self.keys is not None and "jwks" in self.path:
            self.answer(200, json.dumps(self.keys).encode(), JSON | headers)
            return
        request = urllib.request.Request(self.service + self.path)
        try:
            with urllib.request.urlopen(request) as response:
                self.answer(response.status, response.read(), JSON | headers)
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read(), headers)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in ({"date": formatdate(usegmt=True)} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def be_html(self) -> None:
        self.answer(200, PAGE, HTML)

    def be_vercel(self) -> None:
        self.answer(401, PAGE, HTML | {"set-cookie": "_vercel_sso_nonce=x; Max-Age=3600; Path=/; Secure; HttpOnly"})

    def be_basic(self) -> None:
        self.answer(401, b"", {"www-authenticate": 'Basic realm="staging"'})

    def be_cloudflare_access(self) -> None:
        self.answer(302, b"", {"location": "https://team.cloudflareaccess.com/cdn-cgi/access/login/app?kid=1"})

    def be_sign_in(self) -> None:
        self.answer(302, b"", {"location": "/sign-in?next=%2Fapi%2Fauth%2Fjwks"})

    def be_user_agent(self) -> None:
        if "python" in self.headers.get("user-agent", "").lower():
            self.answer(403, PAGE, HTML)
        else:
            self.be_plain()

    def be_challenge(self) -> None:
        self.answer(403, PAGE, HTML | {"cf-mitigated": "challenge"})

    def be_forbidden(self) -> None:
        self.answer(403, b"forbidden", {"content-type": "text/plain"})

    def be_limited(self) -> None:
        self.answer(429, b'{"message":"Too many requests. Please try again later."}', JSON | {"x-retry-after": "10"})

    def be_redirect_https(self) -> None:
        self.answer(308, b"", {"location": f"https://{self.headers['host']}{self.path}"})

    def be_redirect_host(self) -> None:
        self.answer(301, b"", {"location": f"http://www.example.com{self.path}"})

    def be_redirect_slash(self) -> None:
        self.answer(308, b"", {"location": f"{self.path}/"})

    def be_store_down(self) -> None:
        if self.path.endswith("/jwks"):
            self.answer(500)
        else:
            self.be_plain()

    def be_down(self) -> None:
        self.answer(502, PAGE, HTML)

    def be_no_jwks(self) -> None:
        self.answer(404, PAGE, HTML)

    def be_empty(self) -> None:
        self.answer(200, b'{"keys":[]}', JSON) if self.path.endswith("/jwks") else self.be_plain()

    def be_unusable(self) -> None:
        key = {"kty": "EC", "crv": "P-256", "kid": "1", "x": "AA", "y": "AA"}
        self.answer(200, json.dumps({"keys": [key]}).encode(), JSON)

    def be_list(self) -> None:
        self.answer(200, b"[]", JSON)

    def be_blank(self) -> None:
        self.answer(200, b"", JSON)

    def be_slow(self) -> None:
        time.sleep(1.5)
        self.be_plain()

    def be_silent(self) -> None:
        time.sleep(30)
        self.be_plain()

    def be_breaking(self) -> None:
        self.close_connection = True
        self.connection.close()

    def be_ahead(self) -> None:
        self.be_plain(date=formatdate(time.time() + 600, usegmt=True))

    def be_behind(self) -> None:
        self.be_plain(date=formatdate(time.time() - 600, usegmt=True))

    def be_drifting(self) -> None:
        self.be_plain(date=formatdate(time.time() + 12, usegmt=True))

    def be_cached(self) -> None:
        self.be_plain(date=formatdate(time.time() - 240, usegmt=True), age="240")

    def be_cdn(self) -> None:
        self.be_plain(date=formatdate(time.time() - 240, usegmt=True), **{"cf-cache-status": "HIT"})

    # As an API that is asked by `--api`.

    def be_refusing_api(self) -> None:
        self.answer(401, b'{"detail":"Invalid token"}', JSON)

    def be_good_api(self) -> None:
        self.answer(200 if self.headers.get("authorization") else 401, b"{}", JSON)

    def be_forbidding_api(self) -> None:
        self.answer(200 if self.headers.get("authorization") else 403, b'{"detail":"Not authenticated"}', JSON)

    def be_redirecting_api(self) -> None:
        self.answer(307, b"", {"location": f"http://api.internal{self.path}/"})

    def be_slashing_api(self) -> None:
        self.answer(307, b"", {"location": f"{self.path}/"})

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def proxy(fault: str, service: str, keys: Any = None, certificate: Path | None = None) -> Iterator[str]:
    handler = type("Handler", (Proxy,), {"fault": fault, "service": service, "keys": keys})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, *, days: int = 30) -> Path:
    """Key and certificate of 127.0.0.1 in one file, by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=60))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    file = folder / f"certificate-{days}.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file
