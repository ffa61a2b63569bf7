from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
  from ..models.history_entry_diff_item import HistoryEntryDiffItem





T = TypeVar("T", bound="HistoryEntry")



@_attrs_define
class HistoryEntry:
    """ 
        Attributes:
            cursor (str): Where the change stands in the log. Example: nGo2lwAAAAAAAAMIAAAAAAAAACqfEl1E.
            version (int): The object's version after the change. Example: 2.
            verb (str): What was done: create, patch, delete or an action. Example: patch.
            actor (str): Who did it, as kind:id. Example: person:developer.
            at (datetime.datetime): When the write began. Example: 2026-01-31T12:00:00.000000Z.
            diff (list[HistoryEntryDiffItem] | Unset): What it changed against the version before (JSON Patch, RFC 6902),
                when that is kept. Example: [{'op': 'replace', 'path': '/name', 'value': 'triage'}].
     """

    cursor: str
    version: int
    verb: str
    actor: str
    at: datetime.datetime
    diff: list[HistoryEntryDiffItem] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.history_entry_diff_item import HistoryEntryDiffItem # noqa: PLC0415
        cursor = self.cursor

        version = self.version

        verb = self.verb

        actor = self.actor

        at = self.at.isoformat()

        diff: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.diff, Unset):
            diff = []
            for diff_item_data in self.diff:
                diff_item = diff_item_data.to_dict()
                diff.append(diff_item)




        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "cursor": cursor,
            "version": version,
            "verb": verb,
            "actor": actor,
            "at": at,
        })
        if diff is not UNSET:
            field_dict["diff"] = diff

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.history_entry_diff_item import HistoryEntryDiffItem # noqa: PLC0415
        d = dict(src_dict)
        cursor = d.pop("cursor")

        version = d.pop("version")

        verb = d.pop("verb")

        actor = d.pop("actor")

        at = datetime.datetime.fromisoformat(d.pop("at"))




        _diff = d.pop("diff", UNSET)
        diff: list[HistoryEntryDiffItem] | Unset = UNSET
        if _diff is not UNSET:
            diff = []
            for diff_item_data in _diff:
                diff_item = HistoryEntryDiffItem.from_dict(diff_item_data)



                diff.append(diff_item)


        history_entry = cls(
            cursor=cursor,
            version=version,
            verb=verb,
            actor=actor,
            at=at,
            diff=diff,
        )


        history_entry.additional_properties = d
        return history_entry

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
