"""Where text is printed: as wide as the terminal, and 100 columns where there is none."""

from rich.console import Console

PLAIN_WIDTH = 100


def console() -> Console:
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)
