"""The console script."""

import sys

from dropscribe.cli import main

if __name__ == "__main__":
    sys.exit(main())
