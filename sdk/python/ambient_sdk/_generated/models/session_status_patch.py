from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.session_status_patch_phase import check_session_status_patch_phase
from ..models.session_status_patch_phase import SessionStatusPatchPhase
from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
  from ..models.condition import Condition
  from ..models.reconciled_repository import ReconciledRepository





T = TypeVar("T", bound="SessionStatusPatch")



@_attrs_define
class SessionStatusPatch:
    """ 
        Attributes:
            starts (int): Which start this is about; news of an earlier one are refused.
            if_version (int | Unset): Version of the session that this was decided on; refused when it is another by now.
            phase (SessionStatusPatchPhase | Unset):
            conditions (list[Condition] | Unset):
            reconciled_repos (list[ReconciledRepository] | Unset):
            start_time (datetime.datetime | Unset):
            completion_time (datetime.datetime | Unset):
            observed_version (int | Unset):
            kube_cr_name (str | Unset):
            kube_cr_uid (str | Unset):
            kube_namespace (str | Unset):
            sdk_session_id (str | Unset):
            sdk_restart_count (int | Unset):
     """

    starts: int
    if_version: int | Unset = UNSET
    phase: SessionStatusPatchPhase | Unset = UNSET
    conditions: list[Condition] | Unset = UNSET
    reconciled_repos: list[ReconciledRepository] | Unset = UNSET
    start_time: datetime.datetime | Unset = UNSET
    completion_time: datetime.datetime | Unset = UNSET
    observed_version: int | Unset = UNSET
    kube_cr_name: str | Unset = UNSET
    kube_cr_uid: str | Unset = UNSET
    kube_namespace: str | Unset = UNSET
    sdk_session_id: str | Unset = UNSET
    sdk_restart_count: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.condition import Condition # noqa: PLC0415
        from ..models.reconciled_repository import ReconciledRepository # noqa: PLC0415
        starts = self.starts

        if_version = self.if_version

        phase: str | Unset = UNSET
        if not isinstance(self.phase, Unset):
            phase = self.phase


        conditions: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.conditions, Unset):
            conditions = []
            for conditions_item_data in self.conditions:
                conditions_item = conditions_item_data.to_dict()
                conditions.append(conditions_item)



        reconciled_repos: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.reconciled_repos, Unset):
            reconciled_repos = []
            for reconciled_repos_item_data in self.reconciled_repos:
                reconciled_repos_item = reconciled_repos_item_data.to_dict()
                reconciled_repos.append(reconciled_repos_item)



        start_time: str | Unset = UNSET
        if not isinstance(self.start_time, Unset):
            start_time = self.start_time.isoformat()

        completion_time: str | Unset = UNSET
        if not isinstance(self.completion_time, Unset):
            completion_time = self.completion_time.isoformat()

        observed_version = self.observed_version

        kube_cr_name = self.kube_cr_name

        kube_cr_uid = self.kube_cr_uid

        kube_namespace = self.kube_namespace

        sdk_session_id = self.sdk_session_id

        sdk_restart_count = self.sdk_restart_count


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "starts": starts,
        })
        if if_version is not UNSET:
            field_dict["if_version"] = if_version
        if phase is not UNSET:
            field_dict["phase"] = phase
        if conditions is not UNSET:
            field_dict["conditions"] = conditions
        if reconciled_repos is not UNSET:
            field_dict["reconciled_repos"] = reconciled_repos
        if start_time is not UNSET:
            field_dict["start_time"] = start_time
        if completion_time is not UNSET:
            field_dict["completion_time"] = completion_time
        if observed_version is not UNSET:
            field_dict["observed_version"] = observed_version
        if kube_cr_name is not UNSET:
            field_dict["kube_cr_name"] = kube_cr_name
        if kube_cr_uid is not UNSET:
            field_dict["kube_cr_uid"] = kube_cr_uid
        if kube_namespace is not UNSET:
            field_dict["kube_namespace"] = kube_namespace
        if sdk_session_id is not UNSET:
            field_dict["sdk_session_id"] = sdk_session_id
        if sdk_restart_count is not UNSET:
            field_dict["sdk_restart_count"] = sdk_restart_count

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.condition import Condition # noqa: PLC0415
        from ..models.reconciled_repository import ReconciledRepository # noqa: PLC0415
        d = dict(src_dict)
        starts = d.pop("starts")

        if_version = d.pop("if_version", UNSET)

        _phase = d.pop("phase", UNSET)
        phase: SessionStatusPatchPhase | Unset
        if isinstance(_phase,  Unset):
            phase = UNSET
        else:
            phase = check_session_status_patch_phase(_phase)




        _conditions = d.pop("conditions", UNSET)
        conditions: list[Condition] | Unset = UNSET
        if _conditions is not UNSET:
            conditions = []
            for conditions_item_data in _conditions:
                conditions_item = Condition.from_dict(conditions_item_data)



                conditions.append(conditions_item)


        _reconciled_repos = d.pop("reconciled_repos", UNSET)
        reconciled_repos: list[ReconciledRepository] | Unset = UNSET
        if _reconciled_repos is not UNSET:
            reconciled_repos = []
            for reconciled_repos_item_data in _reconciled_repos:
                reconciled_repos_item = ReconciledRepository.from_dict(reconciled_repos_item_data)



                reconciled_repos.append(reconciled_repos_item)


        _start_time = d.pop("start_time", UNSET)
        start_time: datetime.datetime | Unset
        if isinstance(_start_time,  Unset):
            start_time = UNSET
        else:
            start_time = datetime.datetime.fromisoformat(_start_time)




        _completion_time = d.pop("completion_time", UNSET)
        completion_time: datetime.datetime | Unset
        if isinstance(_completion_time,  Unset):
            completion_time = UNSET
        else:
            completion_time = datetime.datetime.fromisoformat(_completion_time)




        observed_version = d.pop("observed_version", UNSET)

        kube_cr_name = d.pop("kube_cr_name", UNSET)

        kube_cr_uid = d.pop("kube_cr_uid", UNSET)

        kube_namespace = d.pop("kube_namespace", UNSET)

        sdk_session_id = d.pop("sdk_session_id", UNSET)

        sdk_restart_count = d.pop("sdk_restart_count", UNSET)

        session_status_patch = cls(
            starts=starts,
            if_version=if_version,
            phase=phase,
            conditions=conditions,
            reconciled_repos=reconciled_repos,
            start_time=start_time,
            completion_time=completion_time,
            observed_version=observed_version,
            kube_cr_name=kube_cr_name,
            kube_cr_uid=kube_cr_uid,
            kube_namespace=kube_namespace,
            sdk_session_id=sdk_session_id,
            sdk_restart_count=sdk_restart_count,
        )


        session_status_patch.additional_properties = d
        return session_status_patch

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
