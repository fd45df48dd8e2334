"""Where a launcher's CPU goes: `python -m bench profile --help`."""
