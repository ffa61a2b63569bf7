from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
  from ..models.whoami_response_200_attributes import WhoamiResponse200Attributes





T = TypeVar("T", bound="WhoamiResponse200")



@_attrs_define
class WhoamiResponse200:
    """ 
        Attributes:
            kind (str):  Example: Principal.
            id (str): As the change log names the caller. Example: person:2f8k.
            type_ (str): person, service or session. Example: person.
            name (str):  Example: Ada Lovelace.
            groups (list[str]): In which the identity provider puts the caller. Example: ['dev'].
            roles (list[str]): That the configuration gives everywhere, because of the groups. Example: [].
            attributes (WhoamiResponse200Attributes): What rules may go by. Example: {'username': 'ada'}.
     """

    kind: str
    id: str
    type_: str
    name: str
    groups: list[str]
    roles: list[str]
    attributes: WhoamiResponse200Attributes
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.whoami_response_200_attributes import WhoamiResponse200Attributes # noqa: PLC0415
        kind = self.kind

        id = self.id

        type_ = self.type_

        name = self.name

        groups = self.groups



        roles = self.roles



        attributes = self.attributes.to_dict()


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "kind": kind,
            "id": id,
            "type": type_,
            "name": name,
            "groups": groups,
            "roles": roles,
            "attributes": attributes,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.whoami_response_200_attributes import WhoamiResponse200Attributes # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        type_ = d.pop("type")

        name = d.pop("name")

        groups = cast(list[str], d.pop("groups"))


        roles = cast(list[str], d.pop("roles"))


        attributes = WhoamiResponse200Attributes.from_dict(d.pop("attributes"))




        whoami_response_200 = cls(
            kind=kind,
            id=id,
            type_=type_,
            name=name,
            groups=groups,
            roles=roles,
            attributes=attributes,
        )


        whoami_response_200.additional_properties = d
        return whoami_response_200

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
