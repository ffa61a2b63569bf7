from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.credential_provider import check_credential_provider
from ..models.credential_provider import CredentialProvider
from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
  from ..models.credential_annotations_type_0 import CredentialAnnotationsType0
  from ..models.credential_labels_type_0 import CredentialLabelsType0





T = TypeVar("T", bound="Credential")



@_attrs_define
class Credential:
    """ 
        Attributes:
            id (str): Unique, and ordered by time.
            kind (str): Name of the kind. Example: Credential.
            href (str): Where this object lives.
            created_at (datetime.datetime): When the object was made.
            updated_at (datetime.datetime): When the object was last changed.
            version (int): Counts the writes.
            name (str): Unique. Example: website-deploy.
            provider (CredentialProvider): What it is a credential of; a session has one of each. Example: github.
            description (None | str | Unset): What it is for. Example: Reads the private repositories..
            url (None | str | Unset): Where the provider is, when it is not at its usual address. Example:
                https://git.example.com.
            email (None | str | Unset): Whose it is, for providers that ask for that. Example: bot@example.com.
            labels (CredentialLabelsType0 | None | Unset): For selecting. Example: {'team': 'web'}.
            annotations (CredentialAnnotationsType0 | None | Unset): For tools.
     """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    version: int
    name: str
    provider: CredentialProvider
    description: None | str | Unset = UNSET
    url: None | str | Unset = UNSET
    email: None | str | Unset = UNSET
    labels: CredentialLabelsType0 | None | Unset = UNSET
    annotations: CredentialAnnotationsType0 | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.credential_annotations_type_0 import CredentialAnnotationsType0 # noqa: PLC0415
        from ..models.credential_labels_type_0 import CredentialLabelsType0 # noqa: PLC0415
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        version = self.version

        name = self.name

        provider: str = self.provider

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

        email: None | str | Unset
        if isinstance(self.email, Unset):
            email = UNSET
        else:
            email = self.email

        labels: dict[str, Any] | None | Unset
        if isinstance(self.labels, Unset):
            labels = UNSET
        elif isinstance(self.labels, CredentialLabelsType0):
            labels = self.labels.to_dict()
        else:
            labels = self.labels

        annotations: dict[str, Any] | None | Unset
        if isinstance(self.annotations, Unset):
            annotations = UNSET
        elif isinstance(self.annotations, CredentialAnnotationsType0):
            annotations = self.annotations.to_dict()
        else:
            annotations = self.annotations


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "id": id,
            "kind": kind,
            "href": href,
            "created_at": created_at,
            "updated_at": updated_at,
            "version": version,
            "name": name,
            "provider": provider,
        })
        if description is not UNSET:
            field_dict["description"] = description
        if url is not UNSET:
            field_dict["url"] = url
        if email is not UNSET:
            field_dict["email"] = email
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.credential_annotations_type_0 import CredentialAnnotationsType0 # noqa: PLC0415
        from ..models.credential_labels_type_0 import CredentialLabelsType0 # noqa: PLC0415
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))




        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))




        version = d.pop("version")

        name = d.pop("name")

        provider = check_credential_provider(d.pop("provider"))




        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))


        def _parse_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        url = _parse_url(d.pop("url", UNSET))


        def _parse_email(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        email = _parse_email(d.pop("email", UNSET))


        def _parse_labels(data: object) -> CredentialLabelsType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                labels_type_0 = CredentialLabelsType0.from_dict(data)



                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CredentialLabelsType0 | None | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))


        def _parse_annotations(data: object) -> CredentialAnnotationsType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                annotations_type_0 = CredentialAnnotationsType0.from_dict(data)



                return annotations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CredentialAnnotationsType0 | None | Unset, data)

        annotations = _parse_annotations(d.pop("annotations", UNSET))


        credential = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            version=version,
            name=name,
            provider=provider,
            description=description,
            url=url,
            email=email,
            labels=labels,
            annotations=annotations,
        )


        credential.additional_properties = d
        return credential

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
