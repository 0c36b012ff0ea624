"""`python -m deploy.cli`: how the embedded stack starts its workers."""

from deploy.cli import main

main()
