"""What the Makefile runs: set-up, the demo, and the generator of the code map."""
