"""Tests of the engine, most of them on a real model of half a megabyte."""
