#!/bin/bash
# The true driver of an FR3, franky, against two simulators that speak libfranka's wire protocol: `make franky`.
#
# Makes what that needs in .setup, where it is not there yet, runs the tests, and fails also if one is skipped. The
# packages come from whatever index pip is configured for.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/env.sh

library=$PWD/.setup/franky      # beside .venv's packages
simulator=$PWD/.setup/franka-sim # an environment of its own
report=$PWD/.setup/franky.xml

# Whether what lies in $1 was made from the lock file $2 with this Python.
is_current() { [ -f "$1/lock" ] && cmp -s "$1/lock" <(python --version && cat "$2"); }
finish() { { python --version && cat "$2"; } >"$1/lock"; }
install() { # PYTHON ARGUMENTS...
    "$1" -m pip install --disable-pip-version-check --no-input --progress-bar off --quiet --quiet --no-deps "${@:2}"
}

if ! is_current "$library" requirements-franky.lock; then
    echo "franky: installing franky and pin into .setup/franky"
    rm -rf "$library"
    install python --target "$library" -r requirements-franky.lock
    finish "$library" requirements-franky.lock
fi
if ! is_current "$simulator" requirements-franka-sim.lock; then
    echo "franky: installing franka-sim into .setup/franka-sim"
    rm -rf "$simulator"
    python -m venv "$simulator"
    install "$simulator/bin/python" -r requirements-franka-sim.lock
    finish "$simulator" requirements-franka-sim.lock
fi

# pin's modules lie where pip alone would look for them.
modules=$(python -c 'import sys; print(f"python{sys.version_info.major}.{sys.version_info.minor}")')
export PYTHONPATH=$library:$library/cmeel.prefix/lib/$modules/site-packages${PYTHONPATH:+:$PYTHONPATH}
export FRANKA_SIM_SERVER=$simulator/bin/run-franka-sim-server
pytest --junitxml="$report" src/frs_steering/test/test_franky{,_driver,_reflex}.py launch/test/test_franky_episode.py "$@"
if grep -q '<skipped' "$report"; then
    echo "franky: tests were skipped, see above" >&2
    exit 1
fi
