from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime






T = TypeVar("T", bound="SessionMessage")



@_attrs_define
class SessionMessage:
    """ 
        Attributes:
            id (str):
            session_id (str):
            seq (int): Counts from 1 in each session, without gaps.
            event_type (str):
            payload (str):
            created_at (datetime.datetime):
     """

    id: str
    session_id: str
    seq: int
    event_type: str
    payload: str
    created_at: datetime.datetime





    def to_dict(self) -> dict[str, Any]:
        id = self.id

        session_id = self.session_id

        seq = self.seq

        event_type = self.event_type

        payload = self.payload

        created_at = self.created_at.isoformat()


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "id": id,
            "session_id": session_id,
            "seq": seq,
            "event_type": event_type,
            "payload": payload,
            "created_at": created_at,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        session_id = d.pop("session_id")

        seq = d.pop("seq")

        event_type = d.pop("event_type")

        payload = d.pop("payload")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))




        session_message = cls(
            id=id,
            session_id=session_id,
            seq=seq,
            event_type=event_type,
            payload=payload,
            created_at=created_at,
        )

        return session_message

