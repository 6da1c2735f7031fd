"""The environment variable that marks every process of a run with its working directory.

The next run finds the processes of a killed one by it (`scripts.workflow.recovery`).
"""

import os

MARKER = "IRCODER_RUN"


def inherited_mark() -> dict[str, str]:
    """The mark of this process as an environment; empty outside a run."""
    return {MARKER: os.environ[MARKER]} if MARKER in os.environ else {}
