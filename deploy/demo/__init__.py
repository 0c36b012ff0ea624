"""The demo: a synthetic municipality through the whole hub, and what happens to its people, told as it happens."""
