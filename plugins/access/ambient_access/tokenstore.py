"""Keeps API tokens: whose they are, what they are narrowed to, and when they end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ambient_access.authority import (
    SELECT_BINDINGS,
    bindings_of,
    check_gift,
    check_held,
    held_anywhere,
)
from ambient_access.permissions import ALL, fault_of, permissions_of, verbs_of
from ambient_access.places import Place
from ambient_access.settings import access_settings
from ambient_core import Fault, Forbidden, Invalid, NotFound, Store
from ambient_core.store.constraints import no_reference

_BINDINGS = f"{SELECT_BINDINGS} WHERE b.service_account_id = %(id)s"


class TokenStore(Store):
    """Tokens: for oneself, or for a service account that has no more than its keeper."""

    def check(self, values: dict[str, Any], current: Mapping[str, Any] | None) -> None:
        """Say whose a new token is and when it ends; refuse one that could do more than who makes it."""
        if current is not None:
            return
        most = access_settings().token_maximum_days
        if values["lifetime_days"] > most:
            raise Invalid.of([Fault("/lifetime_days", "range", f"must be at most {most}.")])
        values["expires_at"] = self.transaction.now() + timedelta(days=values["lifetime_days"])
        self._check_permissions(values.get("permissions"))
        account = values.get("service_account_id")
        if account is None:
            own = "user_id" if self.principal.kind == "person" else "service_account_id"
            values[own] = self.principal.id
        else:
            values["project_id"] = self._account(account)["project_id"]
            self.check_owner(values)

    def check_owner(self, row: Mapping[str, Any]) -> None:
        """Refuse to act for another person, and for a service account that has more than the caller.

        Raises:
            Forbidden: naming what the caller lacks.
        """
        if row.get("user_id") not in (None, self.principal.id if self.principal.kind == "person" else None):
            raise Forbidden("Only the person whose token it is has a secret of it made: it acts in that person's name.")
        account = row.get("service_account_id")
        if account is None or (self.principal.kind, self.principal.id) == ("service", account):
            return
        for binding in bindings_of(self, _BINDINGS, account):
            check_gift(self, binding["role_id"], Place.of(binding))

    def _check_permissions(self, given: list[str] | None) -> None:
        known = verbs_of(self.surroundings.registry)
        faults = [
            Fault(f"/permissions/{number}", *fault)
            for number, text in enumerate(given or ())
            if (fault := fault_of(text, known)) is not None
        ]
        if faults:
            raise Invalid.of(faults)
        # Without a list it is for all that its owner may; a token makes none that is wider than itself.
        held = ALL if given is None else held_anywhere(self)
        check_held(self, held, ALL if given is None else permissions_of(given))

    def _account(self, identifier: str) -> Mapping[str, Any]:
        try:
            return self.surroundings.open("ServiceAccount", "patch").row(identifier)
        except (NotFound, Forbidden):
            raise Invalid.of([no_reference("service_account_id", "ServiceAccount")]) from None
