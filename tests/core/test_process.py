"""A process and the signals that it gets."""

import os
import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys
from ambient_core.serving.process import StopSignal

stopping = StopSignal()
print("up", flush=True)
while not os.path.exists(sys.argv[1]):
    stopping.wait(0.001)
print(stopping.is_set())
"""
MANY = 400_000


def test_any_number_of_signals_at_any_moment_is_one_wish_to_stop(tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    command = [sys.executable, "-c", PROGRAM, str(enough)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        for number in range(MANY):
            os.kill(process.pid, (signal.SIGTERM, signal.SIGINT)[number % 2])
        enough.touch()
        try:
            assert process.communicate(timeout=60)[0] == "True\n"
        finally:
            process.kill()
