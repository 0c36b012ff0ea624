"""pytest plugin: collects scenario files."""
