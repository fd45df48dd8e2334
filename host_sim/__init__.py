"""The host process: window pool, window lifecycle, command execution, idempotency, faults."""
