"""What the code base says: files to chunks, symbols and ranked hits. Nothing is built here yet."""
