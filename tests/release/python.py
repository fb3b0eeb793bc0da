"""The package in an empty environment: imported, its licence there, and its command. Prints one line."""

import subprocess
import sys
from importlib.metadata import files, version

import doorward_origin
from doorward_origin import AssertionRefused, Verifier

Verifier(audience="billing", host="app.test", keys={"secret": "x" * 32})
assert issubclass(AssertionRefused, Exception)
assert "site-packages" in doorward_origin.__file__, doorward_origin.__file__
names = {path.name for path in files("doorward-origin") or []}
assert {"LICENSE", "py.typed"} <= names, names
said = subprocess.run(
    [sys.executable, "-I", "-m", "doorward_origin", "doctor", "--help"], capture_output=True, text=True, check=True
).stdout
assert "doctor" in said, said
print(f"doorward-origin {version('doorward-origin')} imported, licence there")
