"""Notes, kept in memory: each user has those of their own. `uvicorn notes_api.main:app`"""

import os
from collections import defaultdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from .log import say
from .settings import settings_or_exit
from .users import User, Users

settings = settings_or_exit(os.environ)
say("environment is good", **vars(settings))
app = FastAPI(title="Notes", docs_url=None, redoc_url=None, openapi_url=None)
CurrentUser = Annotated[User, Depends(Users(settings))]
notes: defaultdict[str, list[dict[str, str]]] = defaultdict(list)


class NewNote(BaseModel):
    text: str = Field(min_length=1, max_length=200)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/api/notes")
async def read_notes(user: CurrentUser) -> dict[str, object]:
    return {"user": vars(user), "notes": notes[user.id][::-1]}


@app.post("/api/notes", status_code=201)
async def write_note(user: CurrentUser, note: NewNote) -> dict[str, str]:
    written = {"text": note.text, "written": datetime.now(UTC).isoformat()}
    notes[user.id].append(written)
    return written
