"""Project memory: all places in the code, sorted by what stands before them, to see what follows there."""
