from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="MessagesTaken")



@_attrs_define
class MessagesTaken:
    """ 
        Attributes:
            total (int):
            added (int):
     """

    total: int
    added: int





    def to_dict(self) -> dict[str, Any]:
        total = self.total

        added = self.added


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "total": total,
            "added": added,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        total = d.pop("total")

        added = d.pop("added")

        messages_taken = cls(
            total=total,
            added=added,
        )

        return messages_taken

