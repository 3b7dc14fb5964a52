#!/bin/sh
# Runs setup.py with the Python given as PYTHON; else with that of .venv if there is one; else with the newest one on
# this machine that the pinned packages exist for.
tools=$(dirname "$0")

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- "$tools/../.venv/bin/python" python3.13 python3.12 python3.11 python3
fi

for python; do
    if "$python" -E "$tools/setup.py" --check-python >/dev/null 2>&1; then
        exec "$python" -E "$tools/setup.py"
    fi
done

# None suits: let the first that can read setup.py say what would.
for python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1; then
        exec "$python" -E "$tools/setup.py"
    fi
done
echo "set-up: no Python 3 found (looked for: $*); install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python" >&2
exit 1
