"""The launcher's side: actors, sagas, coordinator, reducer, saga log, engine, command line."""
