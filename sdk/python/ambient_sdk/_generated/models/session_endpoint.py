from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="SessionEndpoint")



@_attrs_define
class SessionEndpoint:
    """ 
        Attributes:
            starts (int): Which start this is about.
            host (str): A service of the cluster, or an address that the settings allow.
            port (int):
            token (str): What the runner wants to see of the gateway.
     """

    starts: int
    host: str
    port: int
    token: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        starts = self.starts

        host = self.host

        port = self.port

        token = self.token


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "starts": starts,
            "host": host,
            "port": port,
            "token": token,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        starts = d.pop("starts")

        host = d.pop("host")

        port = d.pop("port")

        token = d.pop("token")

        session_endpoint = cls(
            starts=starts,
            host=host,
            port=port,
            token=token,
        )


        session_endpoint.additional_properties = d
        return session_endpoint

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
