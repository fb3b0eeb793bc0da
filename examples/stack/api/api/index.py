"""The API as a Vercel function: the platform looks for `app`."""

from notes_api.main import app

__all__ = ["app"]
