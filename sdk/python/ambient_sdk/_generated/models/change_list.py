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
  from ..models.change import Change





T = TypeVar("T", bound="ChangeList")



@_attrs_define
class ChangeList:
    """ 
        Attributes:
            kind (str):  Example: ChangeList.
            size (int): Changes on this page. Example: 1.
            cursor (str): The end of the log: a watch after it misses nothing. Example: nGo2lwAAAAAAAAMIAAAAAAAAACqfEl1E.
            items (list[Change]):
            kept_since (datetime.datetime | Unset): What was done before is not kept any more; absent while everything is.
            next_page_token (str | Unset): For the next page, when there is one. Example: nGo2lwAAAAAAAAMIAAAAAAAAACqfEl1E.
     """

    kind: str
    size: int
    cursor: str
    items: list[Change]
    kept_since: datetime.datetime | Unset = UNSET
    next_page_token: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.change import Change # noqa: PLC0415
        kind = self.kind

        size = self.size

        cursor = self.cursor

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)



        kept_since: str | Unset = UNSET
        if not isinstance(self.kept_since, Unset):
            kept_since = self.kept_since.isoformat()

        next_page_token = self.next_page_token


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "kind": kind,
            "size": size,
            "cursor": cursor,
            "items": items,
        })
        if kept_since is not UNSET:
            field_dict["kept_since"] = kept_since
        if next_page_token is not UNSET:
            field_dict["next_page_token"] = next_page_token

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.change import Change # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        size = d.pop("size")

        cursor = d.pop("cursor")

        items = []
        _items = d.pop("items")
        for items_item_data in (_items):
            items_item = Change.from_dict(items_item_data)



            items.append(items_item)


        _kept_since = d.pop("kept_since", UNSET)
        kept_since: datetime.datetime | Unset
        if isinstance(_kept_since,  Unset):
            kept_since = UNSET
        else:
            kept_since = datetime.datetime.fromisoformat(_kept_since)




        next_page_token = d.pop("next_page_token", UNSET)

        change_list = cls(
            kind=kind,
            size=size,
            cursor=cursor,
            items=items,
            kept_since=kept_since,
            next_page_token=next_page_token,
        )


        change_list.additional_properties = d
        return change_list

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
