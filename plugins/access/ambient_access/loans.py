"""Credentials lent to sessions: bindings of a credential that are for nobody, in a project, for an agent, or everywhere."""

from collections.abc import Mapping
from typing import Any

from ambient_access.authority import check_held, held_at
from ambient_access.model import SUBJECTS
from ambient_access.permissions import ALL, Permissions, lacking
from ambient_access.places import Place
from ambient_core import Fault, Forbidden, Store

ROLES = ("credential-viewer", "credential-token-reader")
"""Those that may be lent; the owner's is somebody's."""

LENDING: Permissions = frozenset({("credential", "fetch_token")})
"""What it takes to lend a credential, and to see who has it."""
_WORKING: Permissions = frozenset({("session", "create")})


def is_loan(binding: Mapping[str, Any]) -> bool:
    """Whether a binding gives a credential to sessions, and not to somebody."""
    return binding["scope"] == "credential" and all(binding.get(name) is None for name in SUBJECTS)


def fault_of_role(role: str) -> Fault | None:
    """What is wrong with lending a credential by this role."""
    if role in ROLES:
        return None
    return Fault("/role_id", "enum", f"must be one of {', '.join(ROLES)} where a credential is lent to sessions.")


def check_loan(store: Store, binding: Mapping[str, Any]) -> None:
    """Refuse to lend what is not the caller's to lend, or to sessions that the caller has nothing to do with.

    Raises:
        Forbidden: naming what is lacking.
    """
    check_held(store, held_at(store, Place(credential_id=binding["credential_id"])), LENDING)
    if binding.get("project_id") is not None:
        check_held(store, held_at(store, Place(binding["project_id"], binding.get("agent_id"))), _WORKING)
    elif not held_at(store, Place()) >= ALL:
        raise Forbidden("Only a platform administrator lends a credential to the sessions of every project.")


def check_return(store: Store, binding: Mapping[str, Any]) -> None:
    """Refuse to take a loan back to who could neither lend the credential nor start sessions where it is lent to.

    Raises:
        Forbidden: naming what is lacking.
    """
    lender = held_at(store, Place(credential_id=binding["credential_id"]))
    place = Place(binding.get("project_id"), binding.get("agent_id"))
    if lacking(lender, LENDING) and lacking(held_at(store, place), _WORKING):
        check_held(store, lender, LENDING)
