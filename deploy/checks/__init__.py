"""Checks of the tree that are ours: generated files, personnummer, registry addresses."""
