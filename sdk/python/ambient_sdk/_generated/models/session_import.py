from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
  from ..models.session_import_session import SessionImportSession
  from ..models.session_origin import SessionOrigin
  from ..models.session_state import SessionState





T = TypeVar("T", bound="SessionImport")



@_attrs_define
class SessionImport:
    """ 
        Attributes:
            origin (SessionOrigin):
            session (SessionImportSession): What it shall do: a body for making a session. Example: {'project_id':
                'website', 'name': 'Tidy the readme', 'prompt': 'Look around and report.'}.
            state (SessionState):
     """

    origin: SessionOrigin
    session: SessionImportSession
    state: SessionState
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.session_import_session import SessionImportSession # noqa: PLC0415
        from ..models.session_origin import SessionOrigin # noqa: PLC0415
        from ..models.session_state import SessionState # noqa: PLC0415
        origin = self.origin.to_dict()

        session = self.session.to_dict()

        state = self.state.to_dict()


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "origin": origin,
            "session": session,
            "state": state,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session_import_session import SessionImportSession # noqa: PLC0415
        from ..models.session_origin import SessionOrigin # noqa: PLC0415
        from ..models.session_state import SessionState # noqa: PLC0415
        d = dict(src_dict)
        origin = SessionOrigin.from_dict(d.pop("origin"))




        session = SessionImportSession.from_dict(d.pop("session"))




        state = SessionState.from_dict(d.pop("state"))




        session_import = cls(
            origin=origin,
            session=session,
            state=state,
        )


        session_import.additional_properties = d
        return session_import

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
