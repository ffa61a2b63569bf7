"""Serve one session: ``python -m ambient_runner``."""

import logging

import uvicorn

from ambient_runner.config import RunnerConfig
from ambient_runner.server import create_app


def main() -> None:
    """Serve until a signal says stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    config = RunnerConfig.from_environment()
    uvicorn.run(create_app(config), host=config.host, port=config.port, access_log=False, timeout_graceful_shutdown=5)


if __name__ == "__main__":
    main()
