"""Replay seeds by hand: ``python -m tests.simulation FIRST [LAST]``; prints what happened in the first that goes wrong."""

import hashlib
import sys

from .database import Violation
from .simulation import Simulation


def main() -> None:
    first = int(sys.argv[1])
    for seed in range(first, int(sys.argv[2]) + 1 if len(sys.argv) > 2 else first + 1):
        run = Simulation(seed)
        try:
            run.run()
        except Violation as fault:
            sys.stdout.write("\n".join([*run.history, f"seed {seed}: {fault}", ""]))
            sys.exit(1)
        digest = hashlib.sha256(str(run.history).encode()).hexdigest()
        sys.stdout.write(f"seed {seed}: {len(run.history)} events, {digest}\n")


if __name__ == "__main__":
    main()
