"""The arm: limits, the safety gate, and the execution of chunks. Never imports rclpy."""
