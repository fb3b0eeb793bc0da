"""The site of `site.js` by Starlette: its routes come as JSON in `SITE_ROUTES`."""

import json
import os
import re

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route


def route(path: str, mark: str) -> Route:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(mark)

    return Route(re.sub(r":(\w+)", r"{\1}", path).replace("/**", "/{rest:path}"), answer)


routes = [(entry["path"], entry["mark"]) for entry in json.loads(os.environ["SITE_ROUTES"])]
# The more exact ones first: Starlette takes the first that matches.
routes.sort(key=lambda entry: "**" in entry[0])
below = [route(path.removeprefix("/admin"), mark) for path, mark in routes if path.startswith("/admin/")]
beside = [route(path, mark) for path, mark in routes if not path.startswith("/admin/")]

app = Starlette(routes=[*beside, Mount("/admin", routes=below)])
