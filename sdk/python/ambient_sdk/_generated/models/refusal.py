from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime






T = TypeVar("T", bound="Refusal")



@_attrs_define
class Refusal:
    """ 
        Attributes:
            id (str): Unique, and ordered by time.
            kind (str): Name of the kind. Example: Refusal.
            href (str): Where this object lives.
            created_at (datetime.datetime): When the object was made.
            updated_at (datetime.datetime): When the object was last changed.
            version (int): Counts the writes.
            status (int): What was answered. Example: 403.
            code (str): The error's number. Example: 4.
            method (str): Of the request. Example: PATCH.
            route (str): The address asked for, as the contract spells it. Example: /api/ambient/v1/skills/{id}.
            operation_id (str): Names the request in answer and log.
            object_kind (None | str | Unset): Kind of the object that was asked for. Example: Skill.
            object_id (None | str | Unset): Which object was asked for.
            actor (None | str | Unset): Who asked, as kind:id; absent when that is not known. Example: person:ada.
            token_id (None | str | Unset): Which token was used, where tokens have ids.
            address (None | str | Unset): Where the request came from. Example: 192.0.2.1.
     """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    version: int
    status: int
    code: str
    method: str
    route: str
    operation_id: str
    object_kind: None | str | Unset = UNSET
    object_id: None | str | Unset = UNSET
    actor: None | str | Unset = UNSET
    token_id: None | str | Unset = UNSET
    address: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        version = self.version

        status = self.status

        code = self.code

        method = self.method

        route = self.route

        operation_id = self.operation_id

        object_kind: None | str | Unset
        if isinstance(self.object_kind, Unset):
            object_kind = UNSET
        else:
            object_kind = self.object_kind

        object_id: None | str | Unset
        if isinstance(self.object_id, Unset):
            object_id = UNSET
        else:
            object_id = self.object_id

        actor: None | str | Unset
        if isinstance(self.actor, Unset):
            actor = UNSET
        else:
            actor = self.actor

        token_id: None | str | Unset
        if isinstance(self.token_id, Unset):
            token_id = UNSET
        else:
            token_id = self.token_id

        address: None | str | Unset
        if isinstance(self.address, Unset):
            address = UNSET
        else:
            address = self.address


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "id": id,
            "kind": kind,
            "href": href,
            "created_at": created_at,
            "updated_at": updated_at,
            "version": version,
            "status": status,
            "code": code,
            "method": method,
            "route": route,
            "operation_id": operation_id,
        })
        if object_kind is not UNSET:
            field_dict["object_kind"] = object_kind
        if object_id is not UNSET:
            field_dict["object_id"] = object_id
        if actor is not UNSET:
            field_dict["actor"] = actor
        if token_id is not UNSET:
            field_dict["token_id"] = token_id
        if address is not UNSET:
            field_dict["address"] = address

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))




        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))




        version = d.pop("version")

        status = d.pop("status")

        code = d.pop("code")

        method = d.pop("method")

        route = d.pop("route")

        operation_id = d.pop("operation_id")

        def _parse_object_kind(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        object_kind = _parse_object_kind(d.pop("object_kind", UNSET))


        def _parse_object_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        object_id = _parse_object_id(d.pop("object_id", UNSET))


        def _parse_actor(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        actor = _parse_actor(d.pop("actor", UNSET))


        def _parse_token_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        token_id = _parse_token_id(d.pop("token_id", UNSET))


        def _parse_address(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        address = _parse_address(d.pop("address", UNSET))


        refusal = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            version=version,
            status=status,
            code=code,
            method=method,
            route=route,
            operation_id=operation_id,
            object_kind=object_kind,
            object_id=object_id,
            actor=actor,
            token_id=token_id,
            address=address,
        )


        refusal.additional_properties = d
        return refusal

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
