"""Everything between processes: messages, sessions, event fan-out and replay, links."""
