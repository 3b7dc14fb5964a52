"""The set-up of frs on a machine without ROS: system libraries, the virtual environment, the workspace.

Standard library only: it runs before anything is installed.
"""
