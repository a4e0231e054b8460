"""Every claim of speed or quality is a command in here."""
