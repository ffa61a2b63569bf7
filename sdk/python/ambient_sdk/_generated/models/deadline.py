from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime






T = TypeVar("T", bound="Deadline")



@_attrs_define
class Deadline:
    """ 
        Attributes:
            at (datetime.datetime):
            then (str):
     """

    at: datetime.datetime
    then: str





    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        then = self.then


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "at": at,
            "then": then,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))




        then = d.pop("then")

        deadline = cls(
            at=at,
            then=then,
        )

        return deadline

