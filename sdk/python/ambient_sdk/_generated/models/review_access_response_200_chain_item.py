from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset






T = TypeVar("T", bound="ReviewAccessResponse200ChainItem")



@_attrs_define
class ReviewAccessResponse200ChainItem:
    """ 
        Attributes:
            binding (str | Unset): The role binding.
            role (str | Unset):
            permission (str | Unset): Of the role, the one that allows it.
            scope (str | Unset):
            place (str | Unset): The id of the place that the scope is about.
            project (str | Unset): Of an agent: its project.
            why (str | Unset): In words, where no binding is the reason.
     """

    binding: str | Unset = UNSET
    role: str | Unset = UNSET
    permission: str | Unset = UNSET
    scope: str | Unset = UNSET
    place: str | Unset = UNSET
    project: str | Unset = UNSET
    why: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        binding = self.binding

        role = self.role

        permission = self.permission

        scope = self.scope

        place = self.place

        project = self.project

        why = self.why


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
        })
        if binding is not UNSET:
            field_dict["binding"] = binding
        if role is not UNSET:
            field_dict["role"] = role
        if permission is not UNSET:
            field_dict["permission"] = permission
        if scope is not UNSET:
            field_dict["scope"] = scope
        if place is not UNSET:
            field_dict["place"] = place
        if project is not UNSET:
            field_dict["project"] = project
        if why is not UNSET:
            field_dict["why"] = why

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        binding = d.pop("binding", UNSET)

        role = d.pop("role", UNSET)

        permission = d.pop("permission", UNSET)

        scope = d.pop("scope", UNSET)

        place = d.pop("place", UNSET)

        project = d.pop("project", UNSET)

        why = d.pop("why", UNSET)

        review_access_response_200_chain_item = cls(
            binding=binding,
            role=role,
            permission=permission,
            scope=scope,
            place=place,
            project=project,
            why=why,
        )


        review_access_response_200_chain_item.additional_properties = d
        return review_access_response_200_chain_item

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
