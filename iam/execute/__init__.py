"""Execution: the difference between desired and observed becomes calls to targets, revocations first."""
