"""A small API that verifies a JWT with PyJWT, as many are written.

ISSUER, AUDIENCE, ALGORITHMS and JWKS_URL are its settings. With DETAIL its answers name the error;
MISSING is the status for a request without a token, CLOCK moves its clock by seconds.
"""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from jwt import PyJWKClient

moved = float(os.environ.get("CLOCK", "0"))
if moved:
    import datetime as _datetime

    class _Moved(_datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + _datetime.timedelta(seconds=moved)

    jwt.api_jwt.datetime = _Moved

keys = PyJWKClient(os.environ["JWKS_URL"], timeout=2)


def claims(token):
    algorithms = os.environ["ALGORITHMS"].split(",")
    key = keys.get_signing_key_from_jwt(token).key
    return jwt.decode(
        token,
        key,
        algorithms=algorithms,
        issuer=os.environ["ISSUER"],
        audience=os.environ.get("AUDIENCE") or None,
    )


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self.answer(int(os.environ.get("MISSING", "401")), "Not authenticated")
        try:
            found = claims(token)
        except Exception as error:  # the test wants to see each of them
            said = f"{type(error).__name__}: {error}"
            return self.answer(401, said if os.environ.get("DETAIL") else "Invalid token")
        return self.answer(200, f"hello {len(found['sub'])}")

    def answer(self, status, detail):
        body = json.dumps({"detail": detail}).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("www-authenticate", "Bearer")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + moved if timestamp is None else timestamp)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
print(server.server_port, flush=True)
server.serve_forever()
