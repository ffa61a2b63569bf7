from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.credential import Credential





T = TypeVar("T", bound="CredentialList")



@_attrs_define
class CredentialList:
    """ 
        Attributes:
            kind (str):
            page (int):
            size (int):
            items (list[Credential]):
            total (int | Unset): Matching objects; absent with total=false.
            next_page_token (str | Unset): The page_token of the next page; absent on the last one.
     """

    kind: str
    page: int
    size: int
    items: list[Credential]
    total: int | Unset = UNSET
    next_page_token: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.credential import Credential # noqa: PLC0415
        kind = self.kind

        page = self.page

        size = self.size

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)



        total = self.total

        next_page_token = self.next_page_token


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "kind": kind,
            "page": page,
            "size": size,
            "items": items,
        })
        if total is not UNSET:
            field_dict["total"] = total
        if next_page_token is not UNSET:
            field_dict["next_page_token"] = next_page_token

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.credential import Credential # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        page = d.pop("page")

        size = d.pop("size")

        items = []
        _items = d.pop("items")
        for items_item_data in (_items):
            items_item = Credential.from_dict(items_item_data)



            items.append(items_item)


        total = d.pop("total", UNSET)

        next_page_token = d.pop("next_page_token", UNSET)

        credential_list = cls(
            kind=kind,
            page=page,
            size=size,
            items=items,
            total=total,
            next_page_token=next_page_token,
        )


        credential_list.additional_properties = d
        return credential_list

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
