"""The command line: one module a command, `run` and its parts beside them."""
