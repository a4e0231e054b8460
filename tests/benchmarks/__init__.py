"""The benchmarks: what they compute is right, and what they drive runs."""
