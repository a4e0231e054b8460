"""Whether a question finds its code: annotated repositories, and docstrings taken out of their functions."""
