from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.review_access_response_200_chain_item import ReviewAccessResponse200ChainItem





T = TypeVar("T", bound="ReviewAccessResponse200")



@_attrs_define
class ReviewAccessResponse200:
    """ 
        Attributes:
            kind (str):
            principal (str):
            verb (str):
            resource (str):
            allowed (bool):
            id (str | Unset):
            chain (list[ReviewAccessResponse200ChainItem] | Unset):
            missing (list[str] | Unset): Permissions of which one would do.
            roles (list[str] | Unset): Roles that have one of them.
            granters (list[str] | Unset): Owners of the object's project, ten at most, as kind:id.
            text (str | Unset): What is missing and who can give it.
     """

    kind: str
    principal: str
    verb: str
    resource: str
    allowed: bool
    id: str | Unset = UNSET
    chain: list[ReviewAccessResponse200ChainItem] | Unset = UNSET
    missing: list[str] | Unset = UNSET
    roles: list[str] | Unset = UNSET
    granters: list[str] | Unset = UNSET
    text: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.review_access_response_200_chain_item import ReviewAccessResponse200ChainItem # noqa: PLC0415
        kind = self.kind

        principal = self.principal

        verb = self.verb

        resource = self.resource

        allowed = self.allowed

        id = self.id

        chain: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.chain, Unset):
            chain = []
            for chain_item_data in self.chain:
                chain_item = chain_item_data.to_dict()
                chain.append(chain_item)



        missing: list[str] | Unset = UNSET
        if not isinstance(self.missing, Unset):
            missing = self.missing



        roles: list[str] | Unset = UNSET
        if not isinstance(self.roles, Unset):
            roles = self.roles



        granters: list[str] | Unset = UNSET
        if not isinstance(self.granters, Unset):
            granters = self.granters



        text = self.text


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "kind": kind,
            "principal": principal,
            "verb": verb,
            "resource": resource,
            "allowed": allowed,
        })
        if id is not UNSET:
            field_dict["id"] = id
        if chain is not UNSET:
            field_dict["chain"] = chain
        if missing is not UNSET:
            field_dict["missing"] = missing
        if roles is not UNSET:
            field_dict["roles"] = roles
        if granters is not UNSET:
            field_dict["granters"] = granters
        if text is not UNSET:
            field_dict["text"] = text

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.review_access_response_200_chain_item import ReviewAccessResponse200ChainItem # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        principal = d.pop("principal")

        verb = d.pop("verb")

        resource = d.pop("resource")

        allowed = d.pop("allowed")

        id = d.pop("id", UNSET)

        _chain = d.pop("chain", UNSET)
        chain: list[ReviewAccessResponse200ChainItem] | Unset = UNSET
        if _chain is not UNSET:
            chain = []
            for chain_item_data in _chain:
                chain_item = ReviewAccessResponse200ChainItem.from_dict(chain_item_data)



                chain.append(chain_item)


        missing = cast(list[str], d.pop("missing", UNSET))


        roles = cast(list[str], d.pop("roles", UNSET))


        granters = cast(list[str], d.pop("granters", UNSET))


        text = d.pop("text", UNSET)

        review_access_response_200 = cls(
            kind=kind,
            principal=principal,
            verb=verb,
            resource=resource,
            allowed=allowed,
            id=id,
            chain=chain,
            missing=missing,
            roles=roles,
            granters=granters,
            text=text,
        )


        review_access_response_200.additional_properties = d
        return review_access_response_200

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
