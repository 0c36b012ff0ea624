"""Out of the master: one relay publishes the current document of whatever is dirty, urgent first."""
