"""What judges: tasks, replay from outside, metrics, benchmarks, reports."""
