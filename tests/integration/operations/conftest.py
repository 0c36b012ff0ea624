"""The small town of the command line's tests."""

from tests.integration.cli.conftest import kallan, town

__all__ = ["kallan", "town"]
