"""Two hundred ways to spell an identity header that only the gate may send, and holes that a middleware might have."""

from __future__ import annotations

import random
from collections.abc import Callable

PREFIX = "x-doorward-"
VALUE = "mallory"

_NAMES = ("subject", "session", "email", "issuer", "expires", "source", "claim-roles")


def spellings(*more_names: str) -> list[str]:
    """Header lines, some of them two; always the same ones."""
    dice = random.Random(0)
    names = (*_NAMES, *more_names)
    lines: list[str] = []
    for name in names:
        full = PREFIX + name
        words = full.split("-")
        lines += [
            f"{full}: {VALUE}",
            f"{full.upper()}: {VALUE}",
            f"{full.title()}: {VALUE}",
            f"{full.replace('-', '_')}: {VALUE}",
            f"{full.replace('-', '_').upper()}: {VALUE}",
            f"{'_'.join(words[:2])}-{'-'.join(words[2:])}: {VALUE}",
            f"{words[0]}-{'_'.join(words[1:])}: {VALUE}",
            f"{full}:{VALUE}",
            f"{full}:\t{VALUE}\t ",
            f"{full}:   {VALUE}",
            f"{full}: {VALUE}\r\n{full}: {VALUE}",
            f"{full}: {VALUE}\r\n{full.replace('-', '_')}: {VALUE}",
            f"{full.upper()}: {VALUE}\r\n{full}: {VALUE}\r\n{full.title()}: {VALUE}",
            # Odd white space and characters: most servers refuse these, none may pass them on.
            f"{full} : {VALUE}",
            f"{full}\t: {VALUE}",
            f" {full}: {VALUE}",
            f"x: 1\r\n {full}: {VALUE}",
            f"{full.replace('-', '.')}: {VALUE}",
            f"{full.replace('-', '~')}: {VALUE}",
            f"{full}-: {VALUE}",
        ]
    while len(lines) < 200:
        full = PREFIX + dice.choice(names)
        mixed = "".join(dice.choice((c.upper(), c)) if c != "-" else dice.choice("-_") for c in full)
        line = f"{mixed}:{dice.choice(('', ' ', chr(9)))}{VALUE}"
        if line not in lines:
            lines.append(line)
    return lines


#: What a middleware would take for an identity, done wrong.
HOLES: dict[str, Callable[[str, str], bool]] = {
    "removes nothing": lambda _name, _prefix: False,
    "knows one spelling": lambda name, prefix: name.startswith(prefix),
    "knows letter case only": lambda name, prefix: name.lower().startswith(prefix),
    "knows small letters only": lambda name, prefix: name.replace("_", "-").startswith(prefix),
    "knows whole names only": lambda name, _: name.lower().replace("_", "-") == "x-doorward-subject",
    "takes _ for - only once": lambda name, prefix: name.lower().replace("_", "-", 1).startswith(prefix),
}
