from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime






T = TypeVar("T", bound="Wanted")



@_attrs_define
class Wanted:
    """ 
        Attributes:
            what (str):
            starts (int):
            phase (str | Unset):
            since (datetime.datetime | Unset): Since when it stands in its phase.
            asked (str | Unset): What a caller did last: create, start, stop.
            by (str | Unset): Who did, as kind:id.
            at (datetime.datetime | Unset): When.
     """

    what: str
    starts: int
    phase: str | Unset = UNSET
    since: datetime.datetime | Unset = UNSET
    asked: str | Unset = UNSET
    by: str | Unset = UNSET
    at: datetime.datetime | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        what = self.what

        starts = self.starts

        phase = self.phase

        since: str | Unset = UNSET
        if not isinstance(self.since, Unset):
            since = self.since.isoformat()

        asked = self.asked

        by = self.by

        at: str | Unset = UNSET
        if not isinstance(self.at, Unset):
            at = self.at.isoformat()


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "what": what,
            "starts": starts,
        })
        if phase is not UNSET:
            field_dict["phase"] = phase
        if since is not UNSET:
            field_dict["since"] = since
        if asked is not UNSET:
            field_dict["asked"] = asked
        if by is not UNSET:
            field_dict["by"] = by
        if at is not UNSET:
            field_dict["at"] = at

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        what = d.pop("what")

        starts = d.pop("starts")

        phase = d.pop("phase", UNSET)

        _since = d.pop("since", UNSET)
        since: datetime.datetime | Unset
        if isinstance(_since,  Unset):
            since = UNSET
        else:
            since = datetime.datetime.fromisoformat(_since)




        asked = d.pop("asked", UNSET)

        by = d.pop("by", UNSET)

        _at = d.pop("at", UNSET)
        at: datetime.datetime | Unset
        if isinstance(_at,  Unset):
            at = UNSET
        else:
            at = datetime.datetime.fromisoformat(_at)




        wanted = cls(
            what=what,
            starts=starts,
            phase=phase,
            since=since,
            asked=asked,
            by=by,
            at=at,
        )

        return wanted

