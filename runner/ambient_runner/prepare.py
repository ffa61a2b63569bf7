"""Prepare a workspace: clone what is not cloned yet, and write the files that the session shall find.

A program of its own with nothing but the standard library, run before the runner: as an init container in a cluster, and by
the supervisor on one machine. Where to work say ``WORKSPACE_PATH`` and ``HOME``. Why it failed is its only output: one line
of JSON, in words without credentials, which a kubelet takes as the container's last words.

Usage: python -m ambient_runner.prepare SPECIFICATION
"""

import ctypes
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LONGEST_WORDS = 1500
_WRITTEN = "prepared-files.json"
_PR_SET_PDEATHSIG = 1
_CREDENTIALS = re.compile(r"(\w+://)[^/\s]+@")
# What a program needs of the machine to find other programs, hosts and certificates.
_MACHINE = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_GIT = ("GIT_SSL_CAINFO", "SSH_AUTH_SOCK")


class Failed(Exception):
    """The workspace cannot be prepared; says why in a word and in words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message[:LONGEST_WORDS])
        self.reason = reason


class Preparation:
    """One workspace.

    Args:
        specification: ``repositories``, ``files``, ``protocols`` and ``clone_timeout``; ``credentials`` with the API's address
            and the file of the session's token, where git may ask for what the session was lent.
        workspace: the folder.
    """

    def __init__(self, specification: dict[str, Any], workspace: Path) -> None:
        self.specification = specification
        self.workspace = workspace
        # A plain name: a handler that sets a threading.Event may wait for a lock that it has itself interrupted.
        self.stopping = False

    def ask_to_stop(self, *_: object) -> None:
        """Note that it is to end; whoever waits sees it a moment later."""
        self.stopping = True

    def run(self) -> None:
        """Do all of it.

        Raises:
            Failed: it cannot be done, or was to stop.
        """
        self.workspace.mkdir(parents=True, exist_ok=True)
        for repository in self.specification["repositories"]:
            self.clone(repository)
        files = dict(self.specification["files"])
        self.forget(files)
        for path, content in files.items():
            self.write(path, content)

    def forget(self, wanted: Iterable[str]) -> None:
        """Remove what an earlier start wrote and this one does not, such as a skill that is gone; note what this one writes."""
        written = Path(os.environ.get("HOME", "/")) / _WRITTEN
        earlier = json.loads(written.read_text()) if written.exists() else []
        for path in set(earlier) - set(wanted):
            self.place(path).unlink(missing_ok=True)
        written.write_text(json.dumps(list(wanted)))

    def write(self, path: str, content: str) -> None:
        """Write one file of the workspace."""
        target = self.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")

    def place(self, path: str) -> Path:
        """Where a file of the workspace is.

        Raises:
            Failed: it is somewhere else.
        """
        target = (self.workspace / path).resolve()
        if not target.is_relative_to(self.workspace.resolve()):
            raise Failed("BadInput", f"The file {path!r} would lie outside the workspace.")
        return target

    def clone(self, repository: dict[str, Any]) -> None:
        """Clone one repository, unless an earlier start did."""
        target = self.workspace / repository["name"]
        if (target / ".git").exists():
            return
        shutil.rmtree(target, ignore_errors=True)
        branch = ["--branch", repository["branch"]] if repository.get("branch") else []
        quiet = ["-c", "credential.helper=", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]
        command = ["git", *quiet, *self._helper(), "clone", "--quiet", *branch, "--", repository["url"], str(target)]
        code, words = self._follow(command, repository["url"])
        if code is None:
            shutil.rmtree(target, ignore_errors=True)
            reason = "Stopped" if self.stopping else "CloneTimedOut"
            raise Failed(reason, f"Cloning {safe(repository['url'])} was given up.")
        if code != 0:
            shutil.rmtree(target, ignore_errors=True)
            raise Failed("CloneFailed", f"git could not clone {safe(repository['url'])}: {safe(words).strip()}")

    def _helper(self) -> list[str]:
        """For this command alone: nothing of it stays in the repository's configuration."""
        given = self.specification.get("credentials")
        if not given:
            return []
        # By its path: this program runs without its package.
        made = runpy.run_path(str(Path(__file__).with_name("git_credential.py")))
        configured = made["configuration"](given["api_url"], given["token_file"])
        return [part for name, value in configured.items() for part in ("-c", f"{name}={value}")]

    def _follow(self, command: list[str], url: str) -> tuple[int | None, str]:
        """Run git until it ends; answers its status, ``None`` when it was given up, and its words."""
        try:
            process = subprocess.Popen(  # noqa: S603
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=_tie,  # noqa: PLW1509 - no thread holds a lock here
            )
        except FileNotFoundError as fault:
            raise Failed("CloneFailed", f"There is no git here to clone {safe(url)} with.") from fault
        deadline = time.monotonic() + self.specification["clone_timeout"]
        while process.poll() is None:
            if self.stopping or time.monotonic() > deadline:
                _end(process, 1.0)
                return None, ""
            time.sleep(0.02)
        words = process.stderr.read().decode(errors="replace") if process.stderr else ""
        return process.returncode, words

    def _environment(self) -> dict[str, str]:
        given = {name: os.environ[name] for name in (*_MACHINE, *_GIT) if name in os.environ}
        return {
            **given,
            "HOME": os.environ.get("HOME", "/"),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": self.specification["protocols"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }


def safe(text: str) -> str:
    """A text without the credentials that addresses may hold."""
    return _CREDENTIALS.sub(r"\1", text)


def _tie() -> None:
    """In the child: the kernel kills it when its parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _end(process: "subprocess.Popen[bytes]", grace: float) -> None:
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> int:
    """Prepare; answers the exit status."""
    specification = json.loads(Path(sys.argv[1]).read_text())
    preparation = Preparation(specification, Path(os.environ["WORKSPACE_PATH"]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, preparation.ask_to_stop)
    try:
        preparation.run()
    except Failed as fault:
        return _tell(fault.reason, str(fault))
    except OSError as fault:
        return _tell("PrepareFailed", f"The workspace cannot be written: {fault.strerror}.")
    return 0


def _tell(reason: str, message: str) -> int:
    sys.stdout.write(json.dumps({"reason": reason, "message": message}) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
