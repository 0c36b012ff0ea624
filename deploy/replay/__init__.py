"""Replay: scenario files on a virtual clock, through the handlers in one process or through the broker and the workers."""
