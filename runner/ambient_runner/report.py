"""Tell the platform what the agent said, as messages of the session; a failed report never fails a run."""

import logging
import queue
import threading

from ambient_sdk import AmbientClient, AmbientError

from ambient_runner.config import RunnerConfig

log = logging.getLogger(__name__)


class Reporter:
    """Sends assistant messages in the background, in order.

    Args:
        config: where the API is and with which token; without either nothing is sent.
    """

    def __init__(self, config: RunnerConfig) -> None:
        self._session = config.session_id
        self._client = (
            AmbientClient(config.api_url, config.session_token) if config.api_url and config.session_token else None
        )
        self._waiting: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self._thread.start()

    def message(self, text: str) -> None:
        """Report one finished message of the agent."""
        if text:
            self._waiting.put(text)

    def close(self) -> None:
        """Send what is waiting, for a short while."""
        self._waiting.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None:
            if self._client is None:
                continue
            try:
                self._client.sessions.push_message(self._session, event_type="assistant", payload=text)
            except AmbientError as fault:
                log.warning("a message was not reported: %s", fault)
