"""Tests of questions, edits and summaries."""
