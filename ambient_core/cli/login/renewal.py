"""A token that is renewed by itself: before it ends, and by one process alone, because a provider may take back what is used twice."""

import time
from collections.abc import Callable

from ambient_core.cli.login.contexts import Context
from ambient_core.cli.login.folder import Folder
from ambient_core.cli.login.wallet import Credential, Wallet, client_of, wallet_of
from ambient_core.errors import SetupError


class RenewedToken:
    """The token of a context, for each request.

    Args:
        context: whose.
        folder: where contexts and credentials are.
        clock: seconds since 1970.
    """

    def __init__(self, context: Context, folder: Folder, clock: Callable[[], float] = time.time) -> None:
        self._context = context
        self._folder = folder
        self._clock = clock
        self._wallet: Wallet = wallet_of(context, folder)
        self._known: Credential | None = None

    def __call__(self) -> str:
        """A token that is good for a while.

        Raises:
            SetupError: there is none, or no more.
        """
        credential = self._known or self._kept()
        if self._is_due(credential):
            with self._folder.locked(lock_of(self._context)):
                # Another process may have renewed it while we waited.
                credential = self._kept()
                if self._is_due(credential):
                    credential = self._renewed(credential)
        self._known = credential
        return credential.token

    def _kept(self) -> Credential:
        found = self._wallet.get(self._context.name)
        if found is None:
            raise SetupError(f"Context {self._context.name} has no login; run: {self._command}")
        return found

    @property
    def _command(self) -> str:
        return f"ambient login --context {self._context.name}"

    def _is_due(self, credential: Credential) -> bool:
        return credential.renew_at is not None and self._clock() >= credential.renew_at

    def _has_ended(self, credential: Credential) -> bool:
        return credential.expires_at is not None and self._clock() >= credential.expires_at

    def _renewed(self, credential: Credential) -> Credential:
        # Authlib is not for commands that need no new token.
        from ambient_core.cli.login.provider import Denied, NoAnswer, provider_of  # noqa: PLC0415

        if not credential.refresh_token and not credential.client_secret:
            if self._has_ended(credential):
                raise SetupError(f"The token of context {self._context.name} has ended; run: {self._command}")
            return credential
        try:
            with provider_of(client_of(self._context, credential.client_secret)) as provider:
                renewed = provider.renew(credential)
        except NoAnswer:
            if self._has_ended(credential):
                raise
            # Good enough for now; the next request tries again.
            return credential
        except Denied as fault:
            if fault.code == "invalid_grant":
                self._wallet.forget(self._context.name)
            raise SetupError(
                f"The login of context {self._context.name} is over: {fault} Run: {self._command}"
            ) from None
        self._wallet.put(self._context.name, renewed)
        return renewed


def lock_of(context: Context) -> str:
    """What is locked while the credential of a context changes."""
    return f"credentials/{context.name}"
