"""Tests of the starter model's recipe: what needs no torch, no network and no data."""
