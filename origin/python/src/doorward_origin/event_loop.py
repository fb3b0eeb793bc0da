"""Waiting in ASGI: the event loop is asyncio's, or Trio's under ``hypercorn -k trio``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from .keys import Flight

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """The outcome of a call that may take time, from a thread of the event loop's."""
    trio = _trio()
    if trio is None:
        return await asyncio.to_thread(call)
    outcome: T = await trio.to_thread.run_sync(call)
    return outcome


async def landing(flight: Flight) -> None:
    """Waits for keys without a thread: those of the event loop are the application's too, and unverified tokens can make
    many wait."""
    trio = _trio()
    if trio is not None:
        return await _landing_in_trio(trio, flight)
    landed = asyncio.wrap_future(flight.landed)
    try:
        await asyncio.wait([landed], timeout=flight.seconds_left())
    finally:
        landed.cancel()  # this wait alone; otherwise it would look for its event loop when that has ended
    return None


async def _landing_in_trio(trio: Any, flight: Flight) -> None:
    event, token = trio.Event(), trio.lowlevel.current_trio_token()

    def landed(_: object) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(event.set)

    flight.landed.add_done_callback(landed)
    with trio.move_on_after(flight.seconds_left()):
        await event.wait()


def _trio() -> Any:
    """Trio where it is what runs here; nothing where asyncio does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules.get("trio")
        with suppress(RuntimeError):
            if trio is not None and trio.lowlevel.current_task():
                return trio
        raise RuntimeError("doorward_origin runs in the event loops of asyncio and Trio, and this is neither") from None
    return None
