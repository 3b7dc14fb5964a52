# The environment in which the nodes run: `source tools/env.sh` (bash), after `make setup`. Safe to source again.
# It is also that of `make demo` and `make test`. On a ROS 2 host source ros2_ws/install/setup.bash instead.

_frs_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -f "$_frs_root/.venv/setup.bash" ] || [ ! -f "$_frs_root/ros2_ws/install/setup.bash" ]; then
    echo "tools/env.sh: not set up yet; run \`make setup\` in $_frs_root" >&2
    unset _frs_root
    return 1
fi

# Another ROS in this shell would shadow the wheels in part: start from none.
unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
if [ -n "${LD_LIBRARY_PATH:-}" ]; then
    LD_LIBRARY_PATH=$(tr ':' '\n' <<<"$LD_LIBRARY_PATH" | grep -v -e '^/opt/ros/' -e '/site-packages/ros_' | paste -sd:)
    export LD_LIBRARY_PATH
fi

# The scripts of venv and colcon read variables that may be unset.
case $- in *u*) _frs_unset_is_error=1; set +u ;; esac
source "$_frs_root/.venv/bin/activate"
source "$_frs_root/.venv/setup.bash"
source "$_frs_root/ros2_ws/install/setup.bash"
[ -z "${_frs_unset_is_error:-}" ] || set -u

# Whole camera images between processes of this machine, found at once, and nothing beyond it.
export FASTDDS_DEFAULT_PROFILES_FILE="$_frs_root/launch/config/frs_shm.xml"
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
# Cameras are rendered without a screen.
export MUJOCO_GL=${MUJOCO_GL:-egl}
unset _frs_root _frs_unset_is_error
