"""``python -m doorward_origin doctor`` and ``… check``."""

import sys

from .doctor.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
