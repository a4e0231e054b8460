"""Hearth in real editors."""
