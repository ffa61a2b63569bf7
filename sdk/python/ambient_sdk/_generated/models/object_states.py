from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.key import Key
  from ..models.object_state import ObjectState





T = TypeVar("T", bound="ObjectStates")



@_attrs_define
class ObjectStates:
    """ 
        Attributes:
            states (list[ObjectState]):
            gone (list[Key] | Unset): Objects that are deleted, and of which nothing is left.
     """

    states: list[ObjectState]
    gone: list[Key] | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        from ..models.key import Key # noqa: PLC0415
        from ..models.object_state import ObjectState # noqa: PLC0415
        states = []
        for states_item_data in self.states:
            states_item = states_item_data.to_dict()
            states.append(states_item)



        gone: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.gone, Unset):
            gone = []
            for gone_item_data in self.gone:
                gone_item = gone_item_data.to_dict()
                gone.append(gone_item)




        field_dict: dict[str, Any] = {}

        field_dict.update({
            "states": states,
        })
        if gone is not UNSET:
            field_dict["gone"] = gone

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.key import Key # noqa: PLC0415
        from ..models.object_state import ObjectState # noqa: PLC0415
        d = dict(src_dict)
        states = []
        _states = d.pop("states")
        for states_item_data in (_states):
            states_item = ObjectState.from_dict(states_item_data)



            states.append(states_item)


        _gone = d.pop("gone", UNSET)
        gone: list[Key] | Unset = UNSET
        if _gone is not UNSET:
            gone = []
            for gone_item_data in _gone:
                gone_item = Key.from_dict(gone_item_data)



                gone.append(gone_item)


        object_states = cls(
            states=states,
            gone=gone,
        )

        return object_states

