"""Wiring, settings, the command line, embedded services: the only package that knows them all."""
