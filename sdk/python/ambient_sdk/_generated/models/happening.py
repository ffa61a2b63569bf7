from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="Happening")



@_attrs_define
class Happening:
    """ 
        Attributes:
            at (str):
            source (str):
            reason (str):
            message (str):
     """

    at: str
    source: str
    reason: str
    message: str





    def to_dict(self) -> dict[str, Any]:
        at = self.at

        source = self.source

        reason = self.reason

        message = self.message


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "at": at,
            "source": source,
            "reason": reason,
            "message": message,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        at = d.pop("at")

        source = d.pop("source")

        reason = d.pop("reason")

        message = d.pop("message")

        happening = cls(
            at=at,
            source=source,
            reason=reason,
            message=message,
        )

        return happening

