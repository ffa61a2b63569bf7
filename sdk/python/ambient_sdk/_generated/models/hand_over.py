from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.hand_over_owner import check_hand_over_owner
from ..models.hand_over_owner import HandOverOwner
from typing import cast






T = TypeVar("T", bound="HandOver")



@_attrs_define
class HandOver:
    """ 
        Attributes:
            project_id (str):  Example: website.
            owner (HandOverOwner):  Example: ambient.
     """

    project_id: str
    owner: HandOverOwner
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        owner: str = self.owner


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "project_id": project_id,
            "owner": owner,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        project_id = d.pop("project_id")

        owner = check_hand_over_owner(d.pop("owner"))




        hand_over = cls(
            project_id=project_id,
            owner=owner,
        )


        hand_over.additional_properties = d
        return hand_over

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
