"""Tests of what the code base says: walking it, its memory."""
