"""Questions, commands, edits and summaries. Nothing is built here yet."""
