from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.project_create_annotations_type_0 import ProjectCreateAnnotationsType0
  from ..models.project_create_labels_type_0 import ProjectCreateLabelsType0





T = TypeVar("T", bound="ProjectCreate")



@_attrs_define
class ProjectCreate:
    """ 
        Attributes:
            name (str): Lower-case letters, digits and dashes, a letter first; fixed, because it is the id. Example:
                website.
            display_name (None | str | Unset): For people to read. Example: Our website.
            description (None | str | Unset): What the project is about. Example: The public pages..
            prompt (None | str | Unset): What every agent of this project is told first. Example: Be brief..
            labels (None | ProjectCreateLabelsType0 | Unset): For selecting. Example: {'team': 'web'}.
            annotations (None | ProjectCreateAnnotationsType0 | Unset): For tools. Example: {'owner': 'ada'}.
     """

    name: str
    display_name: None | str | Unset = UNSET
    description: None | str | Unset = UNSET
    prompt: None | str | Unset = UNSET
    labels: None | ProjectCreateLabelsType0 | Unset = UNSET
    annotations: None | ProjectCreateAnnotationsType0 | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.project_create_annotations_type_0 import ProjectCreateAnnotationsType0 # noqa: PLC0415
        from ..models.project_create_labels_type_0 import ProjectCreateLabelsType0 # noqa: PLC0415
        name = self.name

        display_name: None | str | Unset
        if isinstance(self.display_name, Unset):
            display_name = UNSET
        else:
            display_name = self.display_name

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        prompt: None | str | Unset
        if isinstance(self.prompt, Unset):
            prompt = UNSET
        else:
            prompt = self.prompt

        labels: dict[str, Any] | None | Unset
        if isinstance(self.labels, Unset):
            labels = UNSET
        elif isinstance(self.labels, ProjectCreateLabelsType0):
            labels = self.labels.to_dict()
        else:
            labels = self.labels

        annotations: dict[str, Any] | None | Unset
        if isinstance(self.annotations, Unset):
            annotations = UNSET
        elif isinstance(self.annotations, ProjectCreateAnnotationsType0):
            annotations = self.annotations.to_dict()
        else:
            annotations = self.annotations


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "name": name,
        })
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if description is not UNSET:
            field_dict["description"] = description
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.project_create_annotations_type_0 import ProjectCreateAnnotationsType0 # noqa: PLC0415
        from ..models.project_create_labels_type_0 import ProjectCreateLabelsType0 # noqa: PLC0415
        d = dict(src_dict)
        name = d.pop("name")

        def _parse_display_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        display_name = _parse_display_name(d.pop("display_name", UNSET))


        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))


        def _parse_prompt(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        prompt = _parse_prompt(d.pop("prompt", UNSET))


        def _parse_labels(data: object) -> None | ProjectCreateLabelsType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                labels_type_0 = ProjectCreateLabelsType0.from_dict(data)



                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ProjectCreateLabelsType0 | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))


        def _parse_annotations(data: object) -> None | ProjectCreateAnnotationsType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                annotations_type_0 = ProjectCreateAnnotationsType0.from_dict(data)



                return annotations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ProjectCreateAnnotationsType0 | Unset, data)

        annotations = _parse_annotations(d.pop("annotations", UNSET))


        project_create = cls(
            name=name,
            display_name=display_name,
            description=description,
            prompt=prompt,
            labels=labels,
            annotations=annotations,
        )


        project_create.additional_properties = d
        return project_create

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
