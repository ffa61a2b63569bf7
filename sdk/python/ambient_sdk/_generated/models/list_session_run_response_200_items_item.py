from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime






T = TypeVar("T", bound="ListSessionRunResponse200ItemsItem")



@_attrs_define
class ListSessionRunResponse200ItemsItem:
    """ 
        Attributes:
            run_id (str):
            state (str):
            first_seq (int):
            started_at (datetime.datetime):
            last_seq (int | Unset):
            ended_at (datetime.datetime | Unset):
     """

    run_id: str
    state: str
    first_seq: int
    started_at: datetime.datetime
    last_seq: int | Unset = UNSET
    ended_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        run_id = self.run_id

        state = self.state

        first_seq = self.first_seq

        started_at = self.started_at.isoformat()

        last_seq = self.last_seq

        ended_at: str | Unset = UNSET
        if not isinstance(self.ended_at, Unset):
            ended_at = self.ended_at.isoformat()


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "run_id": run_id,
            "state": state,
            "first_seq": first_seq,
            "started_at": started_at,
        })
        if last_seq is not UNSET:
            field_dict["last_seq"] = last_seq
        if ended_at is not UNSET:
            field_dict["ended_at"] = ended_at

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        run_id = d.pop("run_id")

        state = d.pop("state")

        first_seq = d.pop("first_seq")

        started_at = datetime.datetime.fromisoformat(d.pop("started_at"))




        last_seq = d.pop("last_seq", UNSET)

        _ended_at = d.pop("ended_at", UNSET)
        ended_at: datetime.datetime | Unset
        if isinstance(_ended_at,  Unset):
            ended_at = UNSET
        else:
            ended_at = datetime.datetime.fromisoformat(_ended_at)




        list_session_run_response_200_items_item = cls(
            run_id=run_id,
            state=state,
            first_seq=first_seq,
            started_at=started_at,
            last_seq=last_seq,
            ended_at=ended_at,
        )


        list_session_run_response_200_items_item.additional_properties = d
        return list_session_run_response_200_items_item

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
