"""The time that deadlines go by: the database's, which is one for all hosts and wrote what they are counted from."""

import time
from datetime import datetime, timedelta


class DatabaseClock:
    """Tells the database's time in a process that hears it now and then; whatever this host's own clock says.

    From one time that it is heard to the next, the seconds are counted that this process lives through. It is behind by the way
    of an answer, so nothing ends early by it.
    """

    def __init__(self) -> None:
        self._heard: tuple[datetime, float] | None = None

    def hear(self, at: datetime) -> None:
        """The database has just said what time it is."""
        self._heard = at, time.monotonic()

    def now(self) -> datetime:
        """The database's time.

        Raises:
            LookupError: it was never heard.
        """
        if self._heard is None:
            raise LookupError("the database has not said yet what time it is")
        at, since = self._heard
        return at + timedelta(seconds=time.monotonic() - since)
