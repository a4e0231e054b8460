"""Tests of the project memory."""
