"""What the code base says: which files belong, what it builds on, and the project memory."""
