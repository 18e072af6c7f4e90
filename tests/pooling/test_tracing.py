"""Ids tell requests apart, also those of processes that were forked from one."""

import subprocess
import sys

FORKED = """
import os, sys
from pooling.tracing import request_id
request_id({})
for _ in range(3):
    if os.fork() == 0:
        print(request_id({}), flush=True)
        os._exit(0)
    os.wait()
"""


def test_forked_processes_do_not_go_on_with_the_same_ids() -> None:
    ids = subprocess.run(
        [sys.executable, "-c", FORKED], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    ).stdout.split()
    assert len(ids) == len(set(ids)) == 3
    assert all(len(each) == 32 for each in ids)
