from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
  from ..models.change_object_type_0 import ChangeObjectType0





T = TypeVar("T", bound="Change")



@_attrs_define
class Change:
    """ 
        Attributes:
            cursor (str): Where the change stands in the log. Example: nGo2lwAAAAAAAAMIAAAAAAAAACqfEl1E.
            kind (str): The object's kind. Example: Skill.
            object_id (str):  Example: 01jk5x8y3v9mgq2t4w6z8b0c2d.
            verb (str): What was done: create, patch, delete or an action. Example: patch.
            version (int): The object's version after the change. Example: 2.
            actor (str): Who did it, as kind:id. Example: person:developer.
            at (datetime.datetime): When the write began. Example: 2026-01-31T12:00:00.000000Z.
            object_ (ChangeObjectType0 | None): The object after the change (for a delete the last state), without secret
                fields. Example: {'id': '01jk5x8y3v9mgq2t4w6z8b0c2d', 'kind': 'Skill', 'version': 2}.
            project_id (str | Unset): Where the object lives, if anywhere. Example: demo.
            operation_id (str | Unset): The request's X-Operation-ID. Example: 01jk5x8y3v9mgq2t4w6z8b0c2d.
            token_id (str | Unset): By which API token; shown to who may read everything.
            address (str | Unset): From where; shown to who may read everything. Example: 192.0.2.1.
     """

    cursor: str
    kind: str
    object_id: str
    verb: str
    version: int
    actor: str
    at: datetime.datetime
    object_: ChangeObjectType0 | None
    project_id: str | Unset = UNSET
    operation_id: str | Unset = UNSET
    token_id: str | Unset = UNSET
    address: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.change_object_type_0 import ChangeObjectType0 # noqa: PLC0415
        cursor = self.cursor

        kind = self.kind

        object_id = self.object_id

        verb = self.verb

        version = self.version

        actor = self.actor

        at = self.at.isoformat()

        object_: dict[str, Any] | None
        if isinstance(self.object_, ChangeObjectType0):
            object_ = self.object_.to_dict()
        else:
            object_ = self.object_

        project_id = self.project_id

        operation_id = self.operation_id

        token_id = self.token_id

        address = self.address


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "cursor": cursor,
            "kind": kind,
            "object_id": object_id,
            "verb": verb,
            "version": version,
            "actor": actor,
            "at": at,
            "object": object_,
        })
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if operation_id is not UNSET:
            field_dict["operation_id"] = operation_id
        if token_id is not UNSET:
            field_dict["token_id"] = token_id
        if address is not UNSET:
            field_dict["address"] = address

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.change_object_type_0 import ChangeObjectType0 # noqa: PLC0415
        d = dict(src_dict)
        cursor = d.pop("cursor")

        kind = d.pop("kind")

        object_id = d.pop("object_id")

        verb = d.pop("verb")

        version = d.pop("version")

        actor = d.pop("actor")

        at = datetime.datetime.fromisoformat(d.pop("at"))




        def _parse_object_(data: object) -> ChangeObjectType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                object_type_0 = ChangeObjectType0.from_dict(data)



                return object_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ChangeObjectType0 | None, data)

        object_ = _parse_object_(d.pop("object"))


        project_id = d.pop("project_id", UNSET)

        operation_id = d.pop("operation_id", UNSET)

        token_id = d.pop("token_id", UNSET)

        address = d.pop("address", UNSET)

        change = cls(
            cursor=cursor,
            kind=kind,
            object_id=object_id,
            verb=verb,
            version=version,
            actor=actor,
            at=at,
            object_=object_,
            project_id=project_id,
            operation_id=operation_id,
            token_id=token_id,
            address=address,
        )


        change.additional_properties = d
        return change

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
