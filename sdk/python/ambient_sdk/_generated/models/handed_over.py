from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="HandedOver")



@_attrs_define
class HandedOver:
    """ 
        Attributes:
            project_id (str):
            owner (str):
            sessions (int):
     """

    project_id: str
    owner: str
    sessions: int





    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        owner = self.owner

        sessions = self.sessions


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "project_id": project_id,
            "owner": owner,
            "sessions": sessions,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        project_id = d.pop("project_id")

        owner = d.pop("owner")

        sessions = d.pop("sessions")

        handed_over = cls(
            project_id=project_id,
            owner=owner,
            sessions=sessions,
        )

        return handed_over

