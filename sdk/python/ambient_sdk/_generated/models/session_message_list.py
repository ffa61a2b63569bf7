from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
  from ..models.session_message import SessionMessage





T = TypeVar("T", bound="SessionMessageList")



@_attrs_define
class SessionMessageList:
    """ 
        Attributes:
            kind (str):
            page (int):
            size (int):
            total (int):
            items (list[SessionMessage]):
     """

    kind: str
    page: int
    size: int
    total: int
    items: list[SessionMessage]





    def to_dict(self) -> dict[str, Any]:
        from ..models.session_message import SessionMessage # noqa: PLC0415
        kind = self.kind

        page = self.page

        size = self.size

        total = self.total

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)




        field_dict: dict[str, Any] = {}

        field_dict.update({
            "kind": kind,
            "page": page,
            "size": size,
            "total": total,
            "items": items,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session_message import SessionMessage # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        page = d.pop("page")

        size = d.pop("size")

        total = d.pop("total")

        items = []
        _items = d.pop("items")
        for items_item_data in (_items):
            items_item = SessionMessage.from_dict(items_item_data)



            items.append(items_item)


        session_message_list = cls(
            kind=kind,
            page=page,
            size=size,
            total=total,
            items=items,
        )

        return session_message_list

