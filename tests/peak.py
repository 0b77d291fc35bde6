"""How much memory a process has taken at most, for programs that tests start.

A child's ru_maxrss begins with what its parent had, so Linux is asked for the process alone.
"""

import resource
import sys
from pathlib import Path


def peak():
    """The most memory that this process has taken, in MB."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) // 1024
