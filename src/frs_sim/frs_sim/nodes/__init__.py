"""Thin rclpy adapters around the simulated cell."""
