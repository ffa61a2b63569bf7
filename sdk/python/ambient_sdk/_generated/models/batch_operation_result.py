from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.batch_operation_result_body import BatchOperationResultBody
  from ..models.error import Error





T = TypeVar("T", bound="BatchOperationResult")



@_attrs_define
class BatchOperationResult:
    """ 
        Attributes:
            status (int): The status that the operation would have alone. Example: 201.
            outcome (str | Unset): Of apply: created, patched or unchanged. Example: created.
            etag (str | Unset): The object's ETag. Example: "1".
            body (BatchOperationResultBody | Unset): What the operation would answer alone. Example: {'kind': 'Project'}.
            error (Error | Unset):
     """

    status: int
    outcome: str | Unset = UNSET
    etag: str | Unset = UNSET
    body: BatchOperationResultBody | Unset = UNSET
    error: Error | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.batch_operation_result_body import BatchOperationResultBody # noqa: PLC0415
        from ..models.error import Error # noqa: PLC0415
        status = self.status

        outcome = self.outcome

        etag = self.etag

        body: dict[str, Any] | Unset = UNSET
        if not isinstance(self.body, Unset):
            body = self.body.to_dict()

        error: dict[str, Any] | Unset = UNSET
        if not isinstance(self.error, Unset):
            error = self.error.to_dict()


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "status": status,
        })
        if outcome is not UNSET:
            field_dict["outcome"] = outcome
        if etag is not UNSET:
            field_dict["etag"] = etag
        if body is not UNSET:
            field_dict["body"] = body
        if error is not UNSET:
            field_dict["error"] = error

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.batch_operation_result_body import BatchOperationResultBody # noqa: PLC0415
        from ..models.error import Error # noqa: PLC0415
        d = dict(src_dict)
        status = d.pop("status")

        outcome = d.pop("outcome", UNSET)

        etag = d.pop("etag", UNSET)

        _body = d.pop("body", UNSET)
        body: BatchOperationResultBody | Unset
        if isinstance(_body,  Unset):
            body = UNSET
        else:
            body = BatchOperationResultBody.from_dict(_body)




        _error = d.pop("error", UNSET)
        error: Error | Unset
        if isinstance(_error,  Unset):
            error = UNSET
        else:
            error = Error.from_dict(_error)




        batch_operation_result = cls(
            status=status,
            outcome=outcome,
            etag=etag,
            body=body,
            error=error,
        )


        batch_operation_result.additional_properties = d
        return batch_operation_result

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
