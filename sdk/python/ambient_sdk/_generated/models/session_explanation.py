from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
  from ..models.condition import Condition
  from ..models.deadline import Deadline
  from ..models.happening import Happening
  from ..models.session_explanation_seen import SessionExplanationSeen
  from ..models.waiting import Waiting
  from ..models.wanted import Wanted





T = TypeVar("T", bound="SessionExplanation")



@_attrs_define
class SessionExplanation:
    """ 
        Attributes:
            kind (str):
            id (str):
            wanted (Wanted):
            text (str): The same for people to read.
            seen (SessionExplanationSeen | Unset): What the runtime showed when it was looked at last.
            seen_at (datetime.datetime | Unset):
            waiting (Waiting | Unset):
            deadline (Deadline | Unset):
            conditions (list[Condition] | Unset):
            happenings (list[Happening] | Unset):
     """

    kind: str
    id: str
    wanted: Wanted
    text: str
    seen: SessionExplanationSeen | Unset = UNSET
    seen_at: datetime.datetime | Unset = UNSET
    waiting: Waiting | Unset = UNSET
    deadline: Deadline | Unset = UNSET
    conditions: list[Condition] | Unset = UNSET
    happenings: list[Happening] | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        from ..models.condition import Condition # noqa: PLC0415
        from ..models.deadline import Deadline # noqa: PLC0415
        from ..models.happening import Happening # noqa: PLC0415
        from ..models.session_explanation_seen import SessionExplanationSeen # noqa: PLC0415
        from ..models.waiting import Waiting # noqa: PLC0415
        from ..models.wanted import Wanted # noqa: PLC0415
        kind = self.kind

        id = self.id

        wanted = self.wanted.to_dict()

        text = self.text

        seen: dict[str, Any] | Unset = UNSET
        if not isinstance(self.seen, Unset):
            seen = self.seen.to_dict()

        seen_at: str | Unset = UNSET
        if not isinstance(self.seen_at, Unset):
            seen_at = self.seen_at.isoformat()

        waiting: dict[str, Any] | Unset = UNSET
        if not isinstance(self.waiting, Unset):
            waiting = self.waiting.to_dict()

        deadline: dict[str, Any] | Unset = UNSET
        if not isinstance(self.deadline, Unset):
            deadline = self.deadline.to_dict()

        conditions: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.conditions, Unset):
            conditions = []
            for conditions_item_data in self.conditions:
                conditions_item = conditions_item_data.to_dict()
                conditions.append(conditions_item)



        happenings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.happenings, Unset):
            happenings = []
            for happenings_item_data in self.happenings:
                happenings_item = happenings_item_data.to_dict()
                happenings.append(happenings_item)




        field_dict: dict[str, Any] = {}

        field_dict.update({
            "kind": kind,
            "id": id,
            "wanted": wanted,
            "text": text,
        })
        if seen is not UNSET:
            field_dict["seen"] = seen
        if seen_at is not UNSET:
            field_dict["seen_at"] = seen_at
        if waiting is not UNSET:
            field_dict["waiting"] = waiting
        if deadline is not UNSET:
            field_dict["deadline"] = deadline
        if conditions is not UNSET:
            field_dict["conditions"] = conditions
        if happenings is not UNSET:
            field_dict["happenings"] = happenings

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.condition import Condition # noqa: PLC0415
        from ..models.deadline import Deadline # noqa: PLC0415
        from ..models.happening import Happening # noqa: PLC0415
        from ..models.session_explanation_seen import SessionExplanationSeen # noqa: PLC0415
        from ..models.waiting import Waiting # noqa: PLC0415
        from ..models.wanted import Wanted # noqa: PLC0415
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        wanted = Wanted.from_dict(d.pop("wanted"))




        text = d.pop("text")

        _seen = d.pop("seen", UNSET)
        seen: SessionExplanationSeen | Unset
        if isinstance(_seen,  Unset):
            seen = UNSET
        else:
            seen = SessionExplanationSeen.from_dict(_seen)




        _seen_at = d.pop("seen_at", UNSET)
        seen_at: datetime.datetime | Unset
        if isinstance(_seen_at,  Unset):
            seen_at = UNSET
        else:
            seen_at = datetime.datetime.fromisoformat(_seen_at)




        _waiting = d.pop("waiting", UNSET)
        waiting: Waiting | Unset
        if isinstance(_waiting,  Unset):
            waiting = UNSET
        else:
            waiting = Waiting.from_dict(_waiting)




        _deadline = d.pop("deadline", UNSET)
        deadline: Deadline | Unset
        if isinstance(_deadline,  Unset):
            deadline = UNSET
        else:
            deadline = Deadline.from_dict(_deadline)




        _conditions = d.pop("conditions", UNSET)
        conditions: list[Condition] | Unset = UNSET
        if _conditions is not UNSET:
            conditions = []
            for conditions_item_data in _conditions:
                conditions_item = Condition.from_dict(conditions_item_data)



                conditions.append(conditions_item)


        _happenings = d.pop("happenings", UNSET)
        happenings: list[Happening] | Unset = UNSET
        if _happenings is not UNSET:
            happenings = []
            for happenings_item_data in _happenings:
                happenings_item = Happening.from_dict(happenings_item_data)



                happenings.append(happenings_item)


        session_explanation = cls(
            kind=kind,
            id=id,
            wanted=wanted,
            text=text,
            seen=seen,
            seen_at=seen_at,
            waiting=waiting,
            deadline=deadline,
            conditions=conditions,
            happenings=happenings,
        )

        return session_explanation

