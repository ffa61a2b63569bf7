"""Figures that are counted by many threads, from the very first request on."""

import subprocess
import sys

_FIRST = """
import sys, threading
from ambient_core import metrics
sys.setswitchinterval(1e-6)
gate, faults = threading.Barrier(16), []
def count():
    gate.wait()
    try:
        metrics.observe_request("GET", "/things", 200, 0.1)
    except Exception as fault:
        faults.append(fault)
threads = [threading.Thread(target=count) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not faults, faults
assert b'ambient_http_requests_total{method="GET",route="/things",status="200"} 16.0' in metrics.exposition()
"""


def test_threads_that_come_first_share_their_instruments() -> None:
    done = subprocess.run([sys.executable, "-c", _FIRST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
