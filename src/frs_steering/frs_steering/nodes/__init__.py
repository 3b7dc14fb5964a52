"""Thin rclpy adapters, one file a node."""
