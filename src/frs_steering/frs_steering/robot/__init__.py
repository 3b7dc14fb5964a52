"""What the robot is: names and figures of the FR3, its kinematics, the action spaces. Imported by everyone."""
