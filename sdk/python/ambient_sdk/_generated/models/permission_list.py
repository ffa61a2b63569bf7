from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
  from ..models.permission_shown import PermissionShown





T = TypeVar("T", bound="PermissionList")



@_attrs_define
class PermissionList:
    """ 
        Attributes:
            kind (str):
            size (int):
            items (list[PermissionShown]):
     """

    kind: str
    size: int
    items: list[PermissionShown]





    def to_dict(self) -> dict[str, Any]:
        from ..models.permission_shown import PermissionShown # noqa: PLC0415
        kind = self.kind

        size = self.size

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)




        field_dict: dict[str, Any] = {}

        field_dict.update({
            "kind": kind,
            "size": size,
            "items": items,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.permission_shown import PermissionShown # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        size = d.pop("size")

        items = []
        _items = d.pop("items")
        for items_item_data in (_items):
            items_item = PermissionShown.from_dict(items_item_data)



            items.append(items_item)


        permission_list = cls(
            kind=kind,
            size=size,
            items=items,
        )

        return permission_list

