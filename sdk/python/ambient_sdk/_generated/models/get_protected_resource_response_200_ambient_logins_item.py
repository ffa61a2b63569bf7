from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast






T = TypeVar("T", bound="GetProtectedResourceResponse200AmbientLoginsItem")



@_attrs_define
class GetProtectedResourceResponse200AmbientLoginsItem:
    """ 
        Attributes:
            issuer (str): Address of the provider. Example: https://login.example.com/realms/ambient.
            client_id (str): Public client for the command line. Example: ambient-cli.
            scopes (list[str]): What to ask for. Example: ['openid', 'offline_access'].
            token (str): Which token to send here: access or id. Example: access.
     """

    issuer: str
    client_id: str
    scopes: list[str]
    token: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        issuer = self.issuer

        client_id = self.client_id

        scopes = self.scopes



        token = self.token


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "issuer": issuer,
            "client_id": client_id,
            "scopes": scopes,
            "token": token,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        issuer = d.pop("issuer")

        client_id = d.pop("client_id")

        scopes = cast(list[str], d.pop("scopes"))


        token = d.pop("token")

        get_protected_resource_response_200_ambient_logins_item = cls(
            issuer=issuer,
            client_id=client_id,
            scopes=scopes,
            token=token,
        )


        get_protected_resource_response_200_ambient_logins_item.additional_properties = d
        return get_protected_resource_response_200_ambient_logins_item

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
