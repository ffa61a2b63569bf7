from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.error_errors_item import ErrorErrorsItem
  from ..models.error_results_item import ErrorResultsItem





T = TypeVar("T", bound="Error")



@_attrs_define
class Error:
    """ 
        Attributes:
            id (str):
            kind (str):  Example: Error.
            href (str):
            code (str):  Example: ambient-api-server-8.
            reason (str): What is wrong and what would be right.
            operation_id (str): Names this request in the log.
            results (list[ErrorResultsItem] | Unset): Of an atomic batch that failed: what became of each operation.
            matched (int | Unset): With 409 of a deletion by search: how many objects match.
            current_version (int | Unset): With 412: the version that is stored now.
            errors (list[ErrorErrorsItem] | Unset): Every fault, when they belong to fields.
     """

    id: str
    kind: str
    href: str
    code: str
    reason: str
    operation_id: str
    results: list[ErrorResultsItem] | Unset = UNSET
    matched: int | Unset = UNSET
    current_version: int | Unset = UNSET
    errors: list[ErrorErrorsItem] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.error_errors_item import ErrorErrorsItem # noqa: PLC0415
        from ..models.error_results_item import ErrorResultsItem # noqa: PLC0415
        id = self.id

        kind = self.kind

        href = self.href

        code = self.code

        reason = self.reason

        operation_id = self.operation_id

        results: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.results, Unset):
            results = []
            for results_item_data in self.results:
                results_item = results_item_data.to_dict()
                results.append(results_item)



        matched = self.matched

        current_version = self.current_version

        errors: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.errors, Unset):
            errors = []
            for errors_item_data in self.errors:
                errors_item = errors_item_data.to_dict()
                errors.append(errors_item)




        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "id": id,
            "kind": kind,
            "href": href,
            "code": code,
            "reason": reason,
            "operation_id": operation_id,
        })
        if results is not UNSET:
            field_dict["results"] = results
        if matched is not UNSET:
            field_dict["matched"] = matched
        if current_version is not UNSET:
            field_dict["current_version"] = current_version
        if errors is not UNSET:
            field_dict["errors"] = errors

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.error_errors_item import ErrorErrorsItem # noqa: PLC0415
        from ..models.error_results_item import ErrorResultsItem # noqa: PLC0415
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        code = d.pop("code")

        reason = d.pop("reason")

        operation_id = d.pop("operation_id")

        _results = d.pop("results", UNSET)
        results: list[ErrorResultsItem] | Unset = UNSET
        if _results is not UNSET:
            results = []
            for results_item_data in _results:
                results_item = ErrorResultsItem.from_dict(results_item_data)



                results.append(results_item)


        matched = d.pop("matched", UNSET)

        current_version = d.pop("current_version", UNSET)

        _errors = d.pop("errors", UNSET)
        errors: list[ErrorErrorsItem] | Unset = UNSET
        if _errors is not UNSET:
            errors = []
            for errors_item_data in _errors:
                errors_item = ErrorErrorsItem.from_dict(errors_item_data)



                errors.append(errors_item)


        error = cls(
            id=id,
            kind=kind,
            href=href,
            code=code,
            reason=reason,
            operation_id=operation_id,
            results=results,
            matched=matched,
            current_version=current_version,
            errors=errors,
        )


        error.additional_properties = d
        return error

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
