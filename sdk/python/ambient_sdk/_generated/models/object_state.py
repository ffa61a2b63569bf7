from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.object_state_seen import ObjectStateSeen





T = TypeVar("T", bound="ObjectState")



@_attrs_define
class ObjectState:
    """ 
        Attributes:
            kind (str):
            id (str):
            waiting_for (str | Unset): What is waited for; absent when nothing is.
            attempts (int | Unset): Tries in a row that did not come through.
            last_error (str | Unset): In the other side's words.
            next_in (float | Unset): Seconds until the next look, when there is one without news.
            seen (ObjectStateSeen | Unset): What was seen of it, as its reconciler says.
     """

    kind: str
    id: str
    waiting_for: str | Unset = UNSET
    attempts: int | Unset = UNSET
    last_error: str | Unset = UNSET
    next_in: float | Unset = UNSET
    seen: ObjectStateSeen | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        from ..models.object_state_seen import ObjectStateSeen # noqa: PLC0415
        kind = self.kind

        id = self.id

        waiting_for = self.waiting_for

        attempts = self.attempts

        last_error = self.last_error

        next_in = self.next_in

        seen: dict[str, Any] | Unset = UNSET
        if not isinstance(self.seen, Unset):
            seen = self.seen.to_dict()


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "kind": kind,
            "id": id,
        })
        if waiting_for is not UNSET:
            field_dict["waiting_for"] = waiting_for
        if attempts is not UNSET:
            field_dict["attempts"] = attempts
        if last_error is not UNSET:
            field_dict["last_error"] = last_error
        if next_in is not UNSET:
            field_dict["next_in"] = next_in
        if seen is not UNSET:
            field_dict["seen"] = seen

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.object_state_seen import ObjectStateSeen # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        waiting_for = d.pop("waiting_for", UNSET)

        attempts = d.pop("attempts", UNSET)

        last_error = d.pop("last_error", UNSET)

        next_in = d.pop("next_in", UNSET)

        _seen = d.pop("seen", UNSET)
        seen: ObjectStateSeen | Unset
        if isinstance(_seen,  Unset):
            seen = UNSET
        else:
            seen = ObjectStateSeen.from_dict(_seen)




        object_state = cls(
            kind=kind,
            id=id,
            waiting_for=waiting_for,
            attempts=attempts,
            last_error=last_error,
            next_in=next_in,
            seen=seen,
        )

        return object_state

