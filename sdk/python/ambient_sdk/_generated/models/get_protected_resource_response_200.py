from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.get_protected_resource_response_200_ambient_logins_item import GetProtectedResourceResponse200AmbientLoginsItem





T = TypeVar("T", bound="GetProtectedResourceResponse200")



@_attrs_define
class GetProtectedResourceResponse200:
    """ 
        Attributes:
            resource (str): Address of this API. Example: https://ambient.example.com.
            resource_name (str):  Example: Ambient API.
            resource_documentation (str):  Example: https://ambient.example.com/api/ambient/v1/openapi.html.
            bearer_methods_supported (list[str]):  Example: ['header'].
            ambient_logins (list[GetProtectedResourceResponse200AmbientLoginsItem]): How the command line logs in.
            authorization_servers (list[str] | Unset): Providers of people; absent when there is none. Example:
                ['https://login.example.com/realms/ambient'].
     """

    resource: str
    resource_name: str
    resource_documentation: str
    bearer_methods_supported: list[str]
    ambient_logins: list[GetProtectedResourceResponse200AmbientLoginsItem]
    authorization_servers: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.get_protected_resource_response_200_ambient_logins_item import GetProtectedResourceResponse200AmbientLoginsItem # noqa: PLC0415
        resource = self.resource

        resource_name = self.resource_name

        resource_documentation = self.resource_documentation

        bearer_methods_supported = self.bearer_methods_supported



        ambient_logins = []
        for ambient_logins_item_data in self.ambient_logins:
            ambient_logins_item = ambient_logins_item_data.to_dict()
            ambient_logins.append(ambient_logins_item)



        authorization_servers: list[str] | Unset = UNSET
        if not isinstance(self.authorization_servers, Unset):
            authorization_servers = self.authorization_servers




        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "resource": resource,
            "resource_name": resource_name,
            "resource_documentation": resource_documentation,
            "bearer_methods_supported": bearer_methods_supported,
            "ambient_logins": ambient_logins,
        })
        if authorization_servers is not UNSET:
            field_dict["authorization_servers"] = authorization_servers

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.get_protected_resource_response_200_ambient_logins_item import GetProtectedResourceResponse200AmbientLoginsItem # noqa: PLC0415
        d = dict(src_dict)
        resource = d.pop("resource")

        resource_name = d.pop("resource_name")

        resource_documentation = d.pop("resource_documentation")

        bearer_methods_supported = cast(list[str], d.pop("bearer_methods_supported"))


        ambient_logins = []
        _ambient_logins = d.pop("ambient_logins")
        for ambient_logins_item_data in (_ambient_logins):
            ambient_logins_item = GetProtectedResourceResponse200AmbientLoginsItem.from_dict(ambient_logins_item_data)



            ambient_logins.append(ambient_logins_item)


        authorization_servers = cast(list[str], d.pop("authorization_servers", UNSET))


        get_protected_resource_response_200 = cls(
            resource=resource,
            resource_name=resource_name,
            resource_documentation=resource_documentation,
            bearer_methods_supported=bearer_methods_supported,
            ambient_logins=ambient_logins,
            authorization_servers=authorization_servers,
        )


        get_protected_resource_response_200.additional_properties = d
        return get_protected_resource_response_200

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
