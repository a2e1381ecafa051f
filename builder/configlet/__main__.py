"""``python -m configlet`` is the command ``configlet``."""

import sys

from configlet.cli import main

if __name__ == "__main__":
    sys.exit(main())
