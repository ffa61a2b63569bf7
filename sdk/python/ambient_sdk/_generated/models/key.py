from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="Key")



@_attrs_define
class Key:
    """ 
        Attributes:
            kind (str):
            id (str):
     """

    kind: str
    id: str





    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        id = self.id


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "kind": kind,
            "id": id,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        key = cls(
            kind=kind,
            id=id,
        )

        return key

