from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime






T = TypeVar("T", bound="Waiting")



@_attrs_define
class Waiting:
    """ 
        Attributes:
            what (str):
            since (datetime.datetime):
            attempts (int): Tries in a row that did not come through.
            last_error (str | Unset): In the other side's words.
            next_at (datetime.datetime | Unset): When it is tried again, if no news come before.
     """

    what: str
    since: datetime.datetime
    attempts: int
    last_error: str | Unset = UNSET
    next_at: datetime.datetime | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        what = self.what

        since = self.since.isoformat()

        attempts = self.attempts

        last_error = self.last_error

        next_at: str | Unset = UNSET
        if not isinstance(self.next_at, Unset):
            next_at = self.next_at.isoformat()


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "what": what,
            "since": since,
            "attempts": attempts,
        })
        if last_error is not UNSET:
            field_dict["last_error"] = last_error
        if next_at is not UNSET:
            field_dict["next_at"] = next_at

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        what = d.pop("what")

        since = datetime.datetime.fromisoformat(d.pop("since"))




        attempts = d.pop("attempts")

        last_error = d.pop("last_error", UNSET)

        _next_at = d.pop("next_at", UNSET)
        next_at: datetime.datetime | Unset
        if isinstance(_next_at,  Unset):
            next_at = UNSET
        else:
            next_at = datetime.datetime.fromisoformat(_next_at)




        waiting = cls(
            what=what,
            since=since,
            attempts=attempts,
            last_error=last_error,
            next_at=next_at,
        )

        return waiting

