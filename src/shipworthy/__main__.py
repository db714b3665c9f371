"""`python -m shipworthy`."""

import sys

from shipworthy.cli import main

if __name__ == "__main__":
    sys.exit(main())
