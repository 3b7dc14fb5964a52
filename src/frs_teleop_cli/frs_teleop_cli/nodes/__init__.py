"""The rclpy adapter of the operator's terminal."""
