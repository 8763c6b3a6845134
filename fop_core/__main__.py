"""``python -m fop_core``."""

import sys

from fop_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
