from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="PermissionShown")



@_attrs_define
class PermissionShown:
    """ 
        Attributes:
            permission (str):
            known (bool): Whether something that is loaded knows it; one that nothing knows allows nothing.
     """

    permission: str
    known: bool





    def to_dict(self) -> dict[str, Any]:
        permission = self.permission

        known = self.known


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "permission": permission,
            "known": known,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        permission = d.pop("permission")

        known = d.pop("known")

        permission_shown = cls(
            permission=permission,
            known=known,
        )

        return permission_shown

