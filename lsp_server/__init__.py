"""The application shell: protocol, settings, wiring, and the `hearth` command line."""
