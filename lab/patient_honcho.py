"""honcho with more patience at the end: a worker finishes its task, and the database waits for its clients."""

from __future__ import annotations

from honcho import manager
from honcho.command import main

STOP_SECONDS = 30

if __name__ == "__main__":
    manager.KILL_WAIT = STOP_SECONDS
    main()
