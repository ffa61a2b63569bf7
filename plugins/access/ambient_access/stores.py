"""Keeps roles, bindings and service accounts by their own rules."""

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma
import orjson

from ambient_access.authority import (
    GIVING,
    SELECT_BINDINGS,
    bindings_of,
    check_gift,
    check_held,
    held_at,
    is_at_agent,
    keep_an_owner,
)
from ambient_access.grants import forget
from ambient_access.loans import check_loan, check_return, fault_of_role, is_loan
from ambient_access.model import SUBJECTS
from ambient_access.permissions import fault_of, permissions_of, verbs_of
from ambient_access.places import BESIDE, ELSEWHERE, PLACES, Place, parts_of
from ambient_core import Answer, Conflict, Fault, Forbidden, Invalid, Kind, NotFound, Store, action
from ambient_core.http.preconditions import Precondition
from ambient_core.schemas.fields import Integer, Text
from ambient_core.store.constraints import no_reference

_OF_ACCOUNT = f"{SELECT_BINDINGS} WHERE b.service_account_id = %(id)s"

_PERSON = "SELECT 1 FROM users WHERE users.id = %(id)s FOR KEY SHARE"


class RoleStore(Store):
    """Roles: those of the platform stay as they are, others hold what their maker has."""

    def check(self, values: dict[str, Any], current: Mapping[str, Any] | None) -> None:
        """Refuse permissions that nothing knows, or that the caller does not have."""
        if current is not None and current["built_in"]:
            raise _built_in(current)
        kept = set((current or {}).get("permissions") or ())
        given = values.get("permissions") or []
        known = verbs_of(self.surroundings.registry)
        faults = [
            Fault(f"/permissions/{number}", *fault)
            for number, text in enumerate(given)
            # What was known once is kept: its plugin may come back.
            if text not in kept and (fault := fault_of(text, known)) is not None
        ]
        if faults:
            raise Invalid.of(faults)
        if "permissions" in values:
            check_held(self, held_at(self, Place()), permissions_of([*given, *kept]))
        forget()

    def delete(self, identifier: str, condition: Precondition | None = None) -> None:
        """Delete a role that is not built in."""
        row = self.require(identifier, condition)
        if row["built_in"]:
            raise _built_in(row)
        check_held(self, held_at(self, Place()), permissions_of(row["permissions"]))
        forget()
        super().delete(identifier, condition)


def _built_in(row: Mapping[str, Any]) -> Conflict:
    return Conflict(f"The role {row['name']} is built in and stays as it is; make one of your own instead.")


class RoleBindingStore(Store):
    """Bindings: who gives or takes one must have what it allows, where it allows it."""

    vouched = False
    """Whether the platform itself gives the role, so that nobody's rights are asked for."""

    def check(self, values: dict[str, Any], current: Mapping[str, Any] | None) -> None:
        """Refuse a binding to nobody or nowhere, and one that gives more than the caller has."""
        forget()
        if self.vouched:
            return
        if current is None:
            self._check_form(values)
            self._check_right(values, check_loan)
            self._check_person(values.get("user_id"))
        elif values.get("role_id", current["role_id"]) != current["role_id"]:
            _check_loaned_role({**current, **values})
            check_gift(self, current["role_id"], Place.of(current))
            check_gift(self, values["role_id"], Place.of(current))
            keep_an_owner(self, current)

    def delete(self, identifier: str, condition: Precondition | None = None) -> None:
        """Take a role away, provided that what is owned keeps an owner."""
        row = self.require(identifier, condition)
        self._check_right(row, check_return)
        keep_an_owner(self, row)
        forget()
        super().delete(identifier, condition)

    def _check_right(self, binding: Mapping[str, Any], of_loan: Callable[[Store, Mapping[str, Any]], None]) -> None:
        """Refuse to give or take what the caller does not have; a loan to sessions has a right of its own."""
        if is_loan(binding):
            of_loan(self, binding)
        else:
            check_gift(self, binding["role_id"], Place.of(binding), GIVING)

    def _check_form(self, values: dict[str, Any]) -> None:
        self._check_account(values.get("service_account_id"))
        scope = values["scope"]
        named = [place for place in PLACES if values.get(f"{place}_id") is not None]
        faults = []
        loan = is_loan(values)
        if not loan and [values.get(name) is not None for name in SUBJECTS].count(True) != 1:
            faults.append(Fault("/user_id", "one_of", f"give exactly one of {', '.join(SUBJECTS)}."))
        if scope != "global" and scope not in named:
            faults.append(Fault(f"/{scope}_id", "required", f"is required with scope {scope!r}."))
        # A loan names the sessions that have the credential, as a binding of a session does where that is.
        beside = BESIDE["session" if loan else scope]
        faults += [
            Fault(f"/{place}_id", "scope", f"does not belong to scope {scope!r}.")
            for place in named
            if place not in {scope, *beside}
        ]
        if "agent" in named and "project" not in named and scope != "session":
            faults.append(
                Fault("/project_id", "required", "is required with an agent_id: an agent is one of its project.")
            )
        if faults:
            raise Invalid.of(faults)
        if loan:
            _check_loaned_role(values)
        for place in sorted({*parts_of(scope), *(beside if loan else ())} & set(named)):
            self._check_place(place, values)

    def _check_person(self, identifier: str | None) -> None:
        """Refuse a person who is no user; one who is stays until the binding is written."""
        if identifier is None or "User" not in self.surroundings.registry:
            return
        self.transaction.begin()
        if self.transaction.as_system(_PERSON, {"id": identifier}).fetchone() is None:
            reason = (
                "refers to no User; give the id of one that exists. Who has not come yet is made before, by issuer and subject "
                "(POST /users), or has roles by a group."
            )
            raise Invalid.of([Fault("/user_id", "reference", reason)])

    def _check_account(self, identifier: str | None) -> None:
        if identifier is not None:
            try:
                self.surroundings.open("ServiceAccount", "get").row(identifier)
            except NotFound:
                raise _no_reference("service_account_id", "ServiceAccount") from None

    def _check_place(self, scope: str, values: dict[str, Any]) -> None:
        kinds = {kind.name.lower(): kind for kind in self.surroundings.registry}
        if scope not in kinds and scope in ELSEWHERE:
            return
        if scope not in kinds:
            where = "scope" if values["scope"] == scope else f"{scope}_id"
            raise Invalid.of([Fault(f"/{where}", "unknown", f"is not possible here: no plugin serves {scope}s.")])
        kind = kinds[scope]
        try:
            row = self.surroundings.open(kind.name, "get").row(values[f"{scope}_id"])
        except (NotFound, Forbidden):
            if scope == "project" and is_at_agent(self, Place(values["project_id"], values.get("agent_id"))):
                return
            raise _no_reference(f"{scope}_id", kind.name) from None
        if scope != "project" and kind.project_column is not None:
            _complete(values, kind, "project", row[kind.project_column])
        if scope == "session":
            _complete(values, kind, "agent", row.get("agent_id"))


def _complete(values: dict[str, Any], kind: Kind, place: str, found: str | None) -> None:
    """Say of a binding where its place lies itself; refuse one that says it wrongly."""
    if values.get(f"{place}_id") not in (None, found):
        raise Invalid.of([Fault(f"/{place}_id", "scope", f"is not the {place} of this {kind.name}.")])
    values[f"{place}_id"] = found


def _check_loaned_role(binding: Mapping[str, Any]) -> None:
    if is_loan(binding) and (fault := fault_of_role(binding["role_id"])) is not None:
        raise Invalid.of([fault])


def _no_reference(name: str, kind: str) -> Invalid:
    return Invalid.of([no_reference(name, kind)])


class ServiceAccountStore(Store):
    """Service accounts; one that is the last owner of something stays."""

    def delete(self, identifier: str, condition: Precondition | None = None) -> None:
        """Delete a service account with its bindings, provided that what it owns keeps an owner."""
        self.require(identifier, condition)
        bindings = bindings_of(self, _OF_ACCOUNT, identifier)
        for binding in bindings:
            check_gift(self, binding["role_id"], Place.of(binding))
        keep_an_owner(self, *bindings)
        forget()
        super().delete(identifier, condition)


class PermissionShown(ma.Schema):
    """A permission of a role."""

    permission = Text(required=True)
    known = ma.fields.Boolean(
        required=True,
        metadata={"description": "Whether something that is loaded knows it; one that nothing knows allows nothing."},
    )


class PermissionList(ma.Schema):
    """The permissions of a role."""

    kind = Text(required=True)
    size = Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(PermissionShown), required=True)


@action(method="GET", answer=PermissionList, operation_id="listRolePermission")
def permissions(store: Store, identifier: str) -> Answer:
    """List the permissions of a role, and whether anything that is loaded knows them."""
    known = verbs_of(store.surroundings.registry)
    shown = [{"permission": p, "known": fault_of(p, known) is None} for p in store.row(identifier)["permissions"]]
    return Answer(orjson.dumps({"kind": "PermissionList", "size": len(shown), "items": shown}))
