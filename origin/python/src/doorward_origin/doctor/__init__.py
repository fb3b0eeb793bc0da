"""Why does an API refuse the tokens that it gets? Asked beside the API, with its interpreter, packages, variables and network.

``facts`` is what is known; the other modules find facts and know no cause; ``rules`` are functions of facts and ask nothing.
Only the standard library is imported here: the doctor has to run where a package is missing.
"""
