from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset






T = TypeVar("T", bound="Repository")



@_attrs_define
class Repository:
    """ 
        Attributes:
            url (str):  Example: https://example.com/site.git.
            branch (str | Unset): The default branch when absent. Example: main.
            name (str | Unset): Its folder; from the address when absent.
     """

    url: str
    branch: str | Unset = UNSET
    name: str | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        url = self.url

        branch = self.branch

        name = self.name


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "url": url,
        })
        if branch is not UNSET:
            field_dict["branch"] = branch
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        url = d.pop("url")

        branch = d.pop("branch", UNSET)

        name = d.pop("name", UNSET)

        repository = cls(
            url=url,
            branch=branch,
            name=name,
        )

        return repository

