from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.role_binding_scope import check_role_binding_scope
from ..models.role_binding_scope import RoleBindingScope
from ..types import UNSET, Unset
from typing import cast
import datetime






T = TypeVar("T", bound="RoleBinding")



@_attrs_define
class RoleBinding:
    """ 
        Attributes:
            id (str): Unique, and ordered by time.
            kind (str): Name of the kind. Example: RoleBinding.
            href (str): Where this object lives.
            created_at (datetime.datetime): When the object was made.
            updated_at (datetime.datetime): When the object was last changed.
            version (int): Counts the writes.
            role_id (str): Which role. Example: project-viewer.
            scope (RoleBindingScope): Where it holds; all but `global` need the id of the place. Example: project.
            user_id (None | str | Unset): The person who has it: the id of a user. Example: ada.
            group_name (None | str | Unset): The group of the identity provider whose members have it.
            service_account_id (None | str | Unset): The service account that has it.
            project_id (None | str | Unset): The project it holds in; of a session or agent, the project that this lives in.
                Example: website.
            agent_id (None | str | Unset): The agent it holds for, of the project that is named with it; of a session, the
                agent that this is of.
            session_id (None | str | Unset): The session it holds for.
            credential_id (None | str | Unset): The credential it holds for.
            note (None | str | Unset): Why it was given. Example: Reviews the pages..
     """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    version: int
    role_id: str
    scope: RoleBindingScope
    user_id: None | str | Unset = UNSET
    group_name: None | str | Unset = UNSET
    service_account_id: None | str | Unset = UNSET
    project_id: None | str | Unset = UNSET
    agent_id: None | str | Unset = UNSET
    session_id: None | str | Unset = UNSET
    credential_id: None | str | Unset = UNSET
    note: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        version = self.version

        role_id = self.role_id

        scope: str = self.scope

        user_id: None | str | Unset
        if isinstance(self.user_id, Unset):
            user_id = UNSET
        else:
            user_id = self.user_id

        group_name: None | str | Unset
        if isinstance(self.group_name, Unset):
            group_name = UNSET
        else:
            group_name = self.group_name

        service_account_id: None | str | Unset
        if isinstance(self.service_account_id, Unset):
            service_account_id = UNSET
        else:
            service_account_id = self.service_account_id

        project_id: None | str | Unset
        if isinstance(self.project_id, Unset):
            project_id = UNSET
        else:
            project_id = self.project_id

        agent_id: None | str | Unset
        if isinstance(self.agent_id, Unset):
            agent_id = UNSET
        else:
            agent_id = self.agent_id

        session_id: None | str | Unset
        if isinstance(self.session_id, Unset):
            session_id = UNSET
        else:
            session_id = self.session_id

        credential_id: None | str | Unset
        if isinstance(self.credential_id, Unset):
            credential_id = UNSET
        else:
            credential_id = self.credential_id

        note: None | str | Unset
        if isinstance(self.note, Unset):
            note = UNSET
        else:
            note = self.note


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "id": id,
            "kind": kind,
            "href": href,
            "created_at": created_at,
            "updated_at": updated_at,
            "version": version,
            "role_id": role_id,
            "scope": scope,
        })
        if user_id is not UNSET:
            field_dict["user_id"] = user_id
        if group_name is not UNSET:
            field_dict["group_name"] = group_name
        if service_account_id is not UNSET:
            field_dict["service_account_id"] = service_account_id
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if credential_id is not UNSET:
            field_dict["credential_id"] = credential_id
        if note is not UNSET:
            field_dict["note"] = note

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

        role_id = d.pop("role_id")

        scope = check_role_binding_scope(d.pop("scope"))




        def _parse_user_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        user_id = _parse_user_id(d.pop("user_id", UNSET))


        def _parse_group_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        group_name = _parse_group_name(d.pop("group_name", UNSET))


        def _parse_service_account_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        service_account_id = _parse_service_account_id(d.pop("service_account_id", UNSET))


        def _parse_project_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        project_id = _parse_project_id(d.pop("project_id", UNSET))


        def _parse_agent_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        agent_id = _parse_agent_id(d.pop("agent_id", UNSET))


        def _parse_session_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        session_id = _parse_session_id(d.pop("session_id", UNSET))


        def _parse_credential_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        credential_id = _parse_credential_id(d.pop("credential_id", UNSET))


        def _parse_note(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        note = _parse_note(d.pop("note", UNSET))


        role_binding = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            version=version,
            role_id=role_id,
            scope=scope,
            user_id=user_id,
            group_name=group_name,
            service_account_id=service_account_id,
            project_id=project_id,
            agent_id=agent_id,
            session_id=session_id,
            credential_id=credential_id,
            note=note,
        )


        role_binding.additional_properties = d
        return role_binding

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
