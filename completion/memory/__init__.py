"""What the user's own code says comes next: occurrences of the context -> weighted candidate lines."""
