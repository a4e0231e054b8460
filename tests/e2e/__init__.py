"""The server as editors meet it: a process, spoken to over standard input and output."""
