from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.credential_patch_provider import check_credential_patch_provider
from ..models.credential_patch_provider import CredentialPatchProvider
from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.credential_patch_annotations_type_0 import CredentialPatchAnnotationsType0
  from ..models.credential_patch_labels_type_0 import CredentialPatchLabelsType0





T = TypeVar("T", bound="CredentialPatch")



@_attrs_define
class CredentialPatch:
    """ 
        Attributes:
            name (str | Unset): Unique. Example: website-deploy.
            description (None | str | Unset): What it is for. Example: Reads the private repositories..
            provider (CredentialPatchProvider | Unset): What it is a credential of; a session has one of each. Example:
                github.
            token (None | str | Unset): The secret itself: a token, a key or a file's content. Sealed where it is kept; only
                sessions fetch it. Example: an-example-of-a-token.
            url (None | str | Unset): Where the provider is, when it is not at its usual address. Example:
                https://git.example.com.
            email (None | str | Unset): Whose it is, for providers that ask for that. Example: bot@example.com.
            labels (CredentialPatchLabelsType0 | None | Unset): For selecting. Example: {'team': 'web'}.
            annotations (CredentialPatchAnnotationsType0 | None | Unset): For tools.
     """

    name: str | Unset = UNSET
    description: None | str | Unset = UNSET
    provider: CredentialPatchProvider | Unset = UNSET
    token: None | str | Unset = UNSET
    url: None | str | Unset = UNSET
    email: None | str | Unset = UNSET
    labels: CredentialPatchLabelsType0 | None | Unset = UNSET
    annotations: CredentialPatchAnnotationsType0 | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.credential_patch_annotations_type_0 import CredentialPatchAnnotationsType0 # noqa: PLC0415
        from ..models.credential_patch_labels_type_0 import CredentialPatchLabelsType0 # noqa: PLC0415
        name = self.name

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        provider: str | Unset = UNSET
        if not isinstance(self.provider, Unset):
            provider = self.provider


        token: None | str | Unset
        if isinstance(self.token, Unset):
            token = UNSET
        else:
            token = self.token

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
        elif isinstance(self.labels, CredentialPatchLabelsType0):
            labels = self.labels.to_dict()
        else:
            labels = self.labels

        annotations: dict[str, Any] | None | Unset
        if isinstance(self.annotations, Unset):
            annotations = UNSET
        elif isinstance(self.annotations, CredentialPatchAnnotationsType0):
            annotations = self.annotations.to_dict()
        else:
            annotations = self.annotations


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
        })
        if name is not UNSET:
            field_dict["name"] = name
        if description is not UNSET:
            field_dict["description"] = description
        if provider is not UNSET:
            field_dict["provider"] = provider
        if token is not UNSET:
            field_dict["token"] = token
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
        from ..models.credential_patch_annotations_type_0 import CredentialPatchAnnotationsType0 # noqa: PLC0415
        from ..models.credential_patch_labels_type_0 import CredentialPatchLabelsType0 # noqa: PLC0415
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))


        _provider = d.pop("provider", UNSET)
        provider: CredentialPatchProvider | Unset
        if isinstance(_provider,  Unset):
            provider = UNSET
        else:
            provider = check_credential_patch_provider(_provider)




        def _parse_token(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        token = _parse_token(d.pop("token", UNSET))


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


        def _parse_labels(data: object) -> CredentialPatchLabelsType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                labels_type_0 = CredentialPatchLabelsType0.from_dict(data)



                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CredentialPatchLabelsType0 | None | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))


        def _parse_annotations(data: object) -> CredentialPatchAnnotationsType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                annotations_type_0 = CredentialPatchAnnotationsType0.from_dict(data)



                return annotations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CredentialPatchAnnotationsType0 | None | Unset, data)

        annotations = _parse_annotations(d.pop("annotations", UNSET))


        credential_patch = cls(
            name=name,
            description=description,
            provider=provider,
            token=token,
            url=url,
            email=email,
            labels=labels,
            annotations=annotations,
        )


        credential_patch.additional_properties = d
        return credential_patch

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
