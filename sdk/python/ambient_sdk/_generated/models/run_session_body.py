from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.run_session_body_messages_item import RunSessionBodyMessagesItem





T = TypeVar("T", bound="RunSessionBody")



@_attrs_define
class RunSessionBody:
    """ RunAgentInput of AG-UI 1.0; threadId and runId are made where they are absent.

        Attributes:
            thread_id (str | Unset):
            run_id (str | Unset):
            messages (list[RunSessionBodyMessagesItem] | Unset):
     """

    thread_id: str | Unset = UNSET
    run_id: str | Unset = UNSET
    messages: list[RunSessionBodyMessagesItem] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.run_session_body_messages_item import RunSessionBodyMessagesItem # noqa: PLC0415
        thread_id = self.thread_id

        run_id = self.run_id

        messages: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.messages, Unset):
            messages = []
            for messages_item_data in self.messages:
                messages_item = messages_item_data.to_dict()
                messages.append(messages_item)




        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
        })
        if thread_id is not UNSET:
            field_dict["threadId"] = thread_id
        if run_id is not UNSET:
            field_dict["runId"] = run_id
        if messages is not UNSET:
            field_dict["messages"] = messages

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.run_session_body_messages_item import RunSessionBodyMessagesItem # noqa: PLC0415
        d = dict(src_dict)
        thread_id = d.pop("threadId", UNSET)

        run_id = d.pop("runId", UNSET)

        _messages = d.pop("messages", UNSET)
        messages: list[RunSessionBodyMessagesItem] | Unset = UNSET
        if _messages is not UNSET:
            messages = []
            for messages_item_data in _messages:
                messages_item = RunSessionBodyMessagesItem.from_dict(messages_item_data)



                messages.append(messages_item)


        run_session_body = cls(
            thread_id=thread_id,
            run_id=run_id,
            messages=messages,
        )


        run_session_body.additional_properties = d
        return run_session_body

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
