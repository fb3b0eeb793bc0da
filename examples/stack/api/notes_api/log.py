"""One line of JSON for each event."""

import json
import sys
from datetime import UTC, datetime


def say(event: str, **more: object) -> None:
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "service": "api", "event": event, **more}
    print(json.dumps(line), file=sys.stdout, flush=True)
