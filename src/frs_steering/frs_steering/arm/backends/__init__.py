"""What the arm's commands are sent to."""
