"""Tests of what the project memory predicts."""
