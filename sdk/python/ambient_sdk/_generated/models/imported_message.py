from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.imported_message_event_type import check_imported_message_event_type
from ..models.imported_message_event_type import ImportedMessageEventType
from ..types import UNSET, Unset
from typing import cast
import datetime






T = TypeVar("T", bound="ImportedMessage")



@_attrs_define
class ImportedMessage:
    """ 
        Attributes:
            event_type (ImportedMessageEventType):
            payload (str):  Example: Look around and report..
            created_at (datetime.datetime | Unset):
     """

    event_type: ImportedMessageEventType
    payload: str
    created_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        event_type: str = self.event_type

        payload = self.payload

        created_at: str | Unset = UNSET
        if not isinstance(self.created_at, Unset):
            created_at = self.created_at.isoformat()


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "event_type": event_type,
            "payload": payload,
        })
        if created_at is not UNSET:
            field_dict["created_at"] = created_at

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        event_type = check_imported_message_event_type(d.pop("event_type"))




        payload = d.pop("payload")

        _created_at = d.pop("created_at", UNSET)
        created_at: datetime.datetime | Unset
        if isinstance(_created_at,  Unset):
            created_at = UNSET
        else:
            created_at = datetime.datetime.fromisoformat(_created_at)




        imported_message = cls(
            event_type=event_type,
            payload=payload,
            created_at=created_at,
        )


        imported_message.additional_properties = d
        return imported_message

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
