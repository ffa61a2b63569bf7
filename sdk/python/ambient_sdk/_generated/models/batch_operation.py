from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.batch_operation_op import BatchOperationOp
from ..models.batch_operation_op import check_batch_operation_op
from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.batch_operation_body import BatchOperationBody





T = TypeVar("T", bound="BatchOperation")



@_attrs_define
class BatchOperation:
    """ 
        Attributes:
            op (BatchOperationOp):  Example: apply.
            kind (str): Name of the kind. Example: Skill.
            id (str | Unset): For patch, delete, restore, and an action on an object.
            action (str | Unset): Name of the action, for op action.
            body (BatchOperationBody | Unset): What the operation would have as its body alone. Example: {'name': 'triage'}.
            if_match (int | str | Unset): What If-Match would say alone: a version, or the header's text.
     """

    op: BatchOperationOp
    kind: str
    id: str | Unset = UNSET
    action: str | Unset = UNSET
    body: BatchOperationBody | Unset = UNSET
    if_match: int | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.batch_operation_body import BatchOperationBody # noqa: PLC0415
        op: str = self.op

        kind = self.kind

        id = self.id

        action = self.action

        body: dict[str, Any] | Unset = UNSET
        if not isinstance(self.body, Unset):
            body = self.body.to_dict()

        if_match: int | str | Unset
        if isinstance(self.if_match, Unset):
            if_match = UNSET
        else:
            if_match = self.if_match


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "op": op,
            "kind": kind,
        })
        if id is not UNSET:
            field_dict["id"] = id
        if action is not UNSET:
            field_dict["action"] = action
        if body is not UNSET:
            field_dict["body"] = body
        if if_match is not UNSET:
            field_dict["if_match"] = if_match

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.batch_operation_body import BatchOperationBody # noqa: PLC0415
        d = dict(src_dict)
        op = check_batch_operation_op(d.pop("op"))




        kind = d.pop("kind")

        id = d.pop("id", UNSET)

        action = d.pop("action", UNSET)

        _body = d.pop("body", UNSET)
        body: BatchOperationBody | Unset
        if isinstance(_body,  Unset):
            body = UNSET
        else:
            body = BatchOperationBody.from_dict(_body)




        def _parse_if_match(data: object) -> int | str | Unset:
            if isinstance(data, Unset):
                return data
            return cast(int | str | Unset, data)

        if_match = _parse_if_match(d.pop("if_match", UNSET))


        batch_operation = cls(
            op=op,
            kind=kind,
            id=id,
            action=action,
            body=body,
            if_match=if_match,
        )


        batch_operation.additional_properties = d
        return batch_operation

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
