"""Run by the tests as a process of its own: a stack with one worker, until it is told to stop.

python run_stack.py HOME [CACHE]
"""

import logging
import sys
from pathlib import Path

from deploy.embedded.stack import Stack, Worker


def main(home: Path, cache: Path | None) -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    print("starting", flush=True)
    try:
        with Stack(home, keys=("master.key",), cache=cache) as stack:
            stack.start_workers([Worker("sleeper", ("sleep", "1000"))])
            print("ready", flush=True)
            stack.wait()
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
