from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="CredentialToken")



@_attrs_define
class CredentialToken:
    """ 
        Attributes:
            credential_id (str):
            provider (str):
            token (str):
     """

    credential_id: str
    provider: str
    token: str





    def to_dict(self) -> dict[str, Any]:
        credential_id = self.credential_id

        provider = self.provider

        token = self.token


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "credential_id": credential_id,
            "provider": provider,
            "token": token,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        credential_id = d.pop("credential_id")

        provider = d.pop("provider")

        token = d.pop("token")

        credential_token = cls(
            credential_id=credential_id,
            provider=provider,
            token=token,
        )

        return credential_token

