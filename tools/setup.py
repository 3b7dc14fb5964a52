"""Sets up what frs needs on a machine without ROS; run by tools/setup.sh for `make setup`, `make demo`, `make test`.

This file and frs_setup/pythons.py may meet a Python that is too old: the rest is imported when the version suits.
"""

import sys

from frs_setup.pythons import problem

if __name__ == "__main__":
    wrong = problem(sys.version_info[:2])
    if wrong:
        sys.exit(f"set-up: {wrong}; name another: make PYTHON=/path/to/python")
    if "--check-python" not in sys.argv[1:]:
        from frs_setup.main import main

        sys.exit(main())
