from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.session_phase_type_1 import check_session_phase_type_1
from ..models.session_phase_type_1 import SessionPhaseType1
from ..models.session_phase_type_2_type_1 import check_session_phase_type_2_type_1
from ..models.session_phase_type_2_type_1 import SessionPhaseType2Type1
from ..models.session_phase_type_3_type_1 import check_session_phase_type_3_type_1
from ..models.session_phase_type_3_type_1 import SessionPhaseType3Type1
from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
  from ..models.condition import Condition
  from ..models.reconciled_repository import ReconciledRepository
  from ..models.repository import Repository
  from ..models.session_annotations_type_0 import SessionAnnotationsType0
  from ..models.session_environment_variables_type_0 import SessionEnvironmentVariablesType0
  from ..models.session_labels_type_0 import SessionLabelsType0
  from ..models.session_resource_overrides_type_0 import SessionResourceOverridesType0





T = TypeVar("T", bound="Session")



@_attrs_define
class Session:
    """ 
        Attributes:
            id (str): Unique, and ordered by time.
            kind (str): Name of the kind. Example: Session.
            href (str): Where this object lives.
            created_at (datetime.datetime): When the object was made.
            updated_at (datetime.datetime): When the object was last changed.
            version (int): Counts the writes.
            project_id (str): Where it lives. Example: website.
            name (str): For people to read. Example: Tidy the readme.
            llm_model (str): Model that the agent uses.
            llm_temperature (float): Sampling temperature.
            llm_max_tokens (int): Tokens of one answer at most.
            stop_on_run_finished (bool): Complete the session when a run has finished.
            created_by (str): Who made it.
            starts (int): How often it was started.
            mirrored (bool): Whether the legacy platform owns it still, and it is only read here.
            agent_id (None | str | Unset): The agent of the project whose session it is; fixed. Who has a role at that agent
                has it here. Example: reviewer.
            prompt (None | str | Unset): First message to the agent. Example: Look around and report..
            repo_url (None | str | Unset): A repository to clone. Example: https://example.com/site.git.
            repos (list[Repository] | None | Unset): Repositories to clone.
            timeout (int | None | Unset): Seconds that the session may run; 0 for no limit. Example: 3600.
            inactivity_timeout (int | None | Unset): Seconds without a run after which it is stopped; 0 for no limit.
            parent_session_id (None | str | Unset): The session that this one continues.
            environment_variables (None | SessionEnvironmentVariablesType0 | Unset): Variables that the runner gets.
            resource_overrides (None | SessionResourceOverridesType0 | Unset): Requests and limits of the runner.
            labels (None | SessionLabelsType0 | Unset): For selecting. Example: {'team': 'web'}.
            annotations (None | SessionAnnotationsType0 | Unset): For tools.
            skills (list[str] | None | Unset): Names of skills; all of the project's when absent.
            phase (None | SessionPhaseType1 | SessionPhaseType2Type1 | SessionPhaseType3Type1 | Unset): Where it stands;
                absent before the first start.
            phase_changed_at (datetime.datetime | None | Unset): Since when it stands there.
            conditions (list[Condition] | None | Unset): Why it stands there.
            start_time (datetime.datetime | None | Unset): When the runner began to answer.
            completion_time (datetime.datetime | None | Unset): When it ended.
            observed_version (int | None | Unset): Version that the control plane acted on last.
            kube_cr_name (None | str | Unset): Name of its custom resource.
            kube_cr_uid (None | str | Unset): Uid of its custom resource.
            kube_namespace (None | str | Unset): Namespace of its custom resource.
            reconciled_repos (list[ReconciledRepository] | None | Unset): Repositories as cloned.
            sdk_session_id (None | str | Unset): What the runner's own kit calls the conversation; its runner writes it.
            sdk_restart_count (int | None | Unset): How often the runner's own kit was started anew; its runner writes it.
            pending_message_id (None | str | Unset): Newest message of a person that no run has taken.
            run_id (None | str | Unset): The newest run.
            run_state (None | str | Unset): active, finished, error or cancelled.
            run_changed_at (datetime.datetime | None | Unset): When the run began or ended.
            imported_from (None | str | Unset): Object of the legacy platform that it was read from: namespace/name/uid.
     """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    version: int
    project_id: str
    name: str
    llm_model: str
    llm_temperature: float
    llm_max_tokens: int
    stop_on_run_finished: bool
    created_by: str
    starts: int
    mirrored: bool
    agent_id: None | str | Unset = UNSET
    prompt: None | str | Unset = UNSET
    repo_url: None | str | Unset = UNSET
    repos: list[Repository] | None | Unset = UNSET
    timeout: int | None | Unset = UNSET
    inactivity_timeout: int | None | Unset = UNSET
    parent_session_id: None | str | Unset = UNSET
    environment_variables: None | SessionEnvironmentVariablesType0 | Unset = UNSET
    resource_overrides: None | SessionResourceOverridesType0 | Unset = UNSET
    labels: None | SessionLabelsType0 | Unset = UNSET
    annotations: None | SessionAnnotationsType0 | Unset = UNSET
    skills: list[str] | None | Unset = UNSET
    phase: None | SessionPhaseType1 | SessionPhaseType2Type1 | SessionPhaseType3Type1 | Unset = UNSET
    phase_changed_at: datetime.datetime | None | Unset = UNSET
    conditions: list[Condition] | None | Unset = UNSET
    start_time: datetime.datetime | None | Unset = UNSET
    completion_time: datetime.datetime | None | Unset = UNSET
    observed_version: int | None | Unset = UNSET
    kube_cr_name: None | str | Unset = UNSET
    kube_cr_uid: None | str | Unset = UNSET
    kube_namespace: None | str | Unset = UNSET
    reconciled_repos: list[ReconciledRepository] | None | Unset = UNSET
    sdk_session_id: None | str | Unset = UNSET
    sdk_restart_count: int | None | Unset = UNSET
    pending_message_id: None | str | Unset = UNSET
    run_id: None | str | Unset = UNSET
    run_state: None | str | Unset = UNSET
    run_changed_at: datetime.datetime | None | Unset = UNSET
    imported_from: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.condition import Condition # noqa: PLC0415
        from ..models.reconciled_repository import ReconciledRepository # noqa: PLC0415
        from ..models.repository import Repository # noqa: PLC0415
        from ..models.session_annotations_type_0 import SessionAnnotationsType0 # noqa: PLC0415
        from ..models.session_environment_variables_type_0 import SessionEnvironmentVariablesType0 # noqa: PLC0415
        from ..models.session_labels_type_0 import SessionLabelsType0 # noqa: PLC0415
        from ..models.session_resource_overrides_type_0 import SessionResourceOverridesType0 # noqa: PLC0415
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        version = self.version

        project_id = self.project_id

        name = self.name

        llm_model = self.llm_model

        llm_temperature = self.llm_temperature

        llm_max_tokens = self.llm_max_tokens

        stop_on_run_finished = self.stop_on_run_finished

        created_by = self.created_by

        starts = self.starts

        mirrored = self.mirrored

        agent_id: None | str | Unset
        if isinstance(self.agent_id, Unset):
            agent_id = UNSET
        else:
            agent_id = self.agent_id

        prompt: None | str | Unset
        if isinstance(self.prompt, Unset):
            prompt = UNSET
        else:
            prompt = self.prompt

        repo_url: None | str | Unset
        if isinstance(self.repo_url, Unset):
            repo_url = UNSET
        else:
            repo_url = self.repo_url

        repos: list[dict[str, Any]] | None | Unset
        if isinstance(self.repos, Unset):
            repos = UNSET
        elif isinstance(self.repos, list):
            repos = []
            for repos_type_0_item_data in self.repos:
                repos_type_0_item = repos_type_0_item_data.to_dict()
                repos.append(repos_type_0_item)


        else:
            repos = self.repos

        timeout: int | None | Unset
        if isinstance(self.timeout, Unset):
            timeout = UNSET
        else:
            timeout = self.timeout

        inactivity_timeout: int | None | Unset
        if isinstance(self.inactivity_timeout, Unset):
            inactivity_timeout = UNSET
        else:
            inactivity_timeout = self.inactivity_timeout

        parent_session_id: None | str | Unset
        if isinstance(self.parent_session_id, Unset):
            parent_session_id = UNSET
        else:
            parent_session_id = self.parent_session_id

        environment_variables: dict[str, Any] | None | Unset
        if isinstance(self.environment_variables, Unset):
            environment_variables = UNSET
        elif isinstance(self.environment_variables, SessionEnvironmentVariablesType0):
            environment_variables = self.environment_variables.to_dict()
        else:
            environment_variables = self.environment_variables

        resource_overrides: dict[str, Any] | None | Unset
        if isinstance(self.resource_overrides, Unset):
            resource_overrides = UNSET
        elif isinstance(self.resource_overrides, SessionResourceOverridesType0):
            resource_overrides = self.resource_overrides.to_dict()
        else:
            resource_overrides = self.resource_overrides

        labels: dict[str, Any] | None | Unset
        if isinstance(self.labels, Unset):
            labels = UNSET
        elif isinstance(self.labels, SessionLabelsType0):
            labels = self.labels.to_dict()
        else:
            labels = self.labels

        annotations: dict[str, Any] | None | Unset
        if isinstance(self.annotations, Unset):
            annotations = UNSET
        elif isinstance(self.annotations, SessionAnnotationsType0):
            annotations = self.annotations.to_dict()
        else:
            annotations = self.annotations

        skills: list[str] | None | Unset
        if isinstance(self.skills, Unset):
            skills = UNSET
        elif isinstance(self.skills, list):
            skills = self.skills


        else:
            skills = self.skills

        phase: None | str | Unset
        if isinstance(self.phase, Unset):
            phase = UNSET
        elif isinstance(self.phase, str):
            phase = self.phase
        elif isinstance(self.phase, str):
            phase = self.phase
        elif isinstance(self.phase, str):
            phase = self.phase
        else:
            phase = self.phase

        phase_changed_at: None | str | Unset
        if isinstance(self.phase_changed_at, Unset):
            phase_changed_at = UNSET
        elif isinstance(self.phase_changed_at, datetime.datetime):
            phase_changed_at = self.phase_changed_at.isoformat()
        else:
            phase_changed_at = self.phase_changed_at

        conditions: list[dict[str, Any]] | None | Unset
        if isinstance(self.conditions, Unset):
            conditions = UNSET
        elif isinstance(self.conditions, list):
            conditions = []
            for conditions_type_0_item_data in self.conditions:
                conditions_type_0_item = conditions_type_0_item_data.to_dict()
                conditions.append(conditions_type_0_item)


        else:
            conditions = self.conditions

        start_time: None | str | Unset
        if isinstance(self.start_time, Unset):
            start_time = UNSET
        elif isinstance(self.start_time, datetime.datetime):
            start_time = self.start_time.isoformat()
        else:
            start_time = self.start_time

        completion_time: None | str | Unset
        if isinstance(self.completion_time, Unset):
            completion_time = UNSET
        elif isinstance(self.completion_time, datetime.datetime):
            completion_time = self.completion_time.isoformat()
        else:
            completion_time = self.completion_time

        observed_version: int | None | Unset
        if isinstance(self.observed_version, Unset):
            observed_version = UNSET
        else:
            observed_version = self.observed_version

        kube_cr_name: None | str | Unset
        if isinstance(self.kube_cr_name, Unset):
            kube_cr_name = UNSET
        else:
            kube_cr_name = self.kube_cr_name

        kube_cr_uid: None | str | Unset
        if isinstance(self.kube_cr_uid, Unset):
            kube_cr_uid = UNSET
        else:
            kube_cr_uid = self.kube_cr_uid

        kube_namespace: None | str | Unset
        if isinstance(self.kube_namespace, Unset):
            kube_namespace = UNSET
        else:
            kube_namespace = self.kube_namespace

        reconciled_repos: list[dict[str, Any]] | None | Unset
        if isinstance(self.reconciled_repos, Unset):
            reconciled_repos = UNSET
        elif isinstance(self.reconciled_repos, list):
            reconciled_repos = []
            for reconciled_repos_type_0_item_data in self.reconciled_repos:
                reconciled_repos_type_0_item = reconciled_repos_type_0_item_data.to_dict()
                reconciled_repos.append(reconciled_repos_type_0_item)


        else:
            reconciled_repos = self.reconciled_repos

        sdk_session_id: None | str | Unset
        if isinstance(self.sdk_session_id, Unset):
            sdk_session_id = UNSET
        else:
            sdk_session_id = self.sdk_session_id

        sdk_restart_count: int | None | Unset
        if isinstance(self.sdk_restart_count, Unset):
            sdk_restart_count = UNSET
        else:
            sdk_restart_count = self.sdk_restart_count

        pending_message_id: None | str | Unset
        if isinstance(self.pending_message_id, Unset):
            pending_message_id = UNSET
        else:
            pending_message_id = self.pending_message_id

        run_id: None | str | Unset
        if isinstance(self.run_id, Unset):
            run_id = UNSET
        else:
            run_id = self.run_id

        run_state: None | str | Unset
        if isinstance(self.run_state, Unset):
            run_state = UNSET
        else:
            run_state = self.run_state

        run_changed_at: None | str | Unset
        if isinstance(self.run_changed_at, Unset):
            run_changed_at = UNSET
        elif isinstance(self.run_changed_at, datetime.datetime):
            run_changed_at = self.run_changed_at.isoformat()
        else:
            run_changed_at = self.run_changed_at

        imported_from: None | str | Unset
        if isinstance(self.imported_from, Unset):
            imported_from = UNSET
        else:
            imported_from = self.imported_from


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "id": id,
            "kind": kind,
            "href": href,
            "created_at": created_at,
            "updated_at": updated_at,
            "version": version,
            "project_id": project_id,
            "name": name,
            "llm_model": llm_model,
            "llm_temperature": llm_temperature,
            "llm_max_tokens": llm_max_tokens,
            "stop_on_run_finished": stop_on_run_finished,
            "created_by": created_by,
            "starts": starts,
            "mirrored": mirrored,
        })
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if repo_url is not UNSET:
            field_dict["repo_url"] = repo_url
        if repos is not UNSET:
            field_dict["repos"] = repos
        if timeout is not UNSET:
            field_dict["timeout"] = timeout
        if inactivity_timeout is not UNSET:
            field_dict["inactivity_timeout"] = inactivity_timeout
        if parent_session_id is not UNSET:
            field_dict["parent_session_id"] = parent_session_id
        if environment_variables is not UNSET:
            field_dict["environment_variables"] = environment_variables
        if resource_overrides is not UNSET:
            field_dict["resource_overrides"] = resource_overrides
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations
        if skills is not UNSET:
            field_dict["skills"] = skills
        if phase is not UNSET:
            field_dict["phase"] = phase
        if phase_changed_at is not UNSET:
            field_dict["phase_changed_at"] = phase_changed_at
        if conditions is not UNSET:
            field_dict["conditions"] = conditions
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
        if reconciled_repos is not UNSET:
            field_dict["reconciled_repos"] = reconciled_repos
        if sdk_session_id is not UNSET:
            field_dict["sdk_session_id"] = sdk_session_id
        if sdk_restart_count is not UNSET:
            field_dict["sdk_restart_count"] = sdk_restart_count
        if pending_message_id is not UNSET:
            field_dict["pending_message_id"] = pending_message_id
        if run_id is not UNSET:
            field_dict["run_id"] = run_id
        if run_state is not UNSET:
            field_dict["run_state"] = run_state
        if run_changed_at is not UNSET:
            field_dict["run_changed_at"] = run_changed_at
        if imported_from is not UNSET:
            field_dict["imported_from"] = imported_from

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.condition import Condition # noqa: PLC0415
        from ..models.reconciled_repository import ReconciledRepository # noqa: PLC0415
        from ..models.repository import Repository # noqa: PLC0415
        from ..models.session_annotations_type_0 import SessionAnnotationsType0 # noqa: PLC0415
        from ..models.session_environment_variables_type_0 import SessionEnvironmentVariablesType0 # noqa: PLC0415
        from ..models.session_labels_type_0 import SessionLabelsType0 # noqa: PLC0415
        from ..models.session_resource_overrides_type_0 import SessionResourceOverridesType0 # noqa: PLC0415
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))




        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))




        version = d.pop("version")

        project_id = d.pop("project_id")

        name = d.pop("name")

        llm_model = d.pop("llm_model")

        llm_temperature = d.pop("llm_temperature")

        llm_max_tokens = d.pop("llm_max_tokens")

        stop_on_run_finished = d.pop("stop_on_run_finished")

        created_by = d.pop("created_by")

        starts = d.pop("starts")

        mirrored = d.pop("mirrored")

        def _parse_agent_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        agent_id = _parse_agent_id(d.pop("agent_id", UNSET))


        def _parse_prompt(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        prompt = _parse_prompt(d.pop("prompt", UNSET))


        def _parse_repo_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        repo_url = _parse_repo_url(d.pop("repo_url", UNSET))


        def _parse_repos(data: object) -> list[Repository] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                repos_type_0 = []
                _repos_type_0 = data
                for repos_type_0_item_data in (_repos_type_0):
                    repos_type_0_item = Repository.from_dict(repos_type_0_item_data)



                    repos_type_0.append(repos_type_0_item)

                return repos_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Repository] | None | Unset, data)

        repos = _parse_repos(d.pop("repos", UNSET))


        def _parse_timeout(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        timeout = _parse_timeout(d.pop("timeout", UNSET))


        def _parse_inactivity_timeout(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        inactivity_timeout = _parse_inactivity_timeout(d.pop("inactivity_timeout", UNSET))


        def _parse_parent_session_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        parent_session_id = _parse_parent_session_id(d.pop("parent_session_id", UNSET))


        def _parse_environment_variables(data: object) -> None | SessionEnvironmentVariablesType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                environment_variables_type_0 = SessionEnvironmentVariablesType0.from_dict(data)



                return environment_variables_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionEnvironmentVariablesType0 | Unset, data)

        environment_variables = _parse_environment_variables(d.pop("environment_variables", UNSET))


        def _parse_resource_overrides(data: object) -> None | SessionResourceOverridesType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                resource_overrides_type_0 = SessionResourceOverridesType0.from_dict(data)



                return resource_overrides_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionResourceOverridesType0 | Unset, data)

        resource_overrides = _parse_resource_overrides(d.pop("resource_overrides", UNSET))


        def _parse_labels(data: object) -> None | SessionLabelsType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                labels_type_0 = SessionLabelsType0.from_dict(data)



                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionLabelsType0 | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))


        def _parse_annotations(data: object) -> None | SessionAnnotationsType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                annotations_type_0 = SessionAnnotationsType0.from_dict(data)



                return annotations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionAnnotationsType0 | Unset, data)

        annotations = _parse_annotations(d.pop("annotations", UNSET))


        def _parse_skills(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                skills_type_0 = cast(list[str], data)

                return skills_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        skills = _parse_skills(d.pop("skills", UNSET))


        def _parse_phase(data: object) -> None | SessionPhaseType1 | SessionPhaseType2Type1 | SessionPhaseType3Type1 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                phase_type_1 = check_session_phase_type_1(data)



                return phase_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, str):
                    raise TypeError()
                phase_type_2_type_1 = check_session_phase_type_2_type_1(data)



                return phase_type_2_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, str):
                    raise TypeError()
                phase_type_3_type_1 = check_session_phase_type_3_type_1(data)



                return phase_type_3_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionPhaseType1 | SessionPhaseType2Type1 | SessionPhaseType3Type1 | Unset, data)

        phase = _parse_phase(d.pop("phase", UNSET))


        def _parse_phase_changed_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                phase_changed_at_type_0 = datetime.datetime.fromisoformat(data)



                return phase_changed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        phase_changed_at = _parse_phase_changed_at(d.pop("phase_changed_at", UNSET))


        def _parse_conditions(data: object) -> list[Condition] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                conditions_type_0 = []
                _conditions_type_0 = data
                for conditions_type_0_item_data in (_conditions_type_0):
                    conditions_type_0_item = Condition.from_dict(conditions_type_0_item_data)



                    conditions_type_0.append(conditions_type_0_item)

                return conditions_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Condition] | None | Unset, data)

        conditions = _parse_conditions(d.pop("conditions", UNSET))


        def _parse_start_time(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                start_time_type_0 = datetime.datetime.fromisoformat(data)



                return start_time_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        start_time = _parse_start_time(d.pop("start_time", UNSET))


        def _parse_completion_time(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                completion_time_type_0 = datetime.datetime.fromisoformat(data)



                return completion_time_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        completion_time = _parse_completion_time(d.pop("completion_time", UNSET))


        def _parse_observed_version(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        observed_version = _parse_observed_version(d.pop("observed_version", UNSET))


        def _parse_kube_cr_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        kube_cr_name = _parse_kube_cr_name(d.pop("kube_cr_name", UNSET))


        def _parse_kube_cr_uid(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        kube_cr_uid = _parse_kube_cr_uid(d.pop("kube_cr_uid", UNSET))


        def _parse_kube_namespace(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        kube_namespace = _parse_kube_namespace(d.pop("kube_namespace", UNSET))


        def _parse_reconciled_repos(data: object) -> list[ReconciledRepository] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                reconciled_repos_type_0 = []
                _reconciled_repos_type_0 = data
                for reconciled_repos_type_0_item_data in (_reconciled_repos_type_0):
                    reconciled_repos_type_0_item = ReconciledRepository.from_dict(reconciled_repos_type_0_item_data)



                    reconciled_repos_type_0.append(reconciled_repos_type_0_item)

                return reconciled_repos_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[ReconciledRepository] | None | Unset, data)

        reconciled_repos = _parse_reconciled_repos(d.pop("reconciled_repos", UNSET))


        def _parse_sdk_session_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        sdk_session_id = _parse_sdk_session_id(d.pop("sdk_session_id", UNSET))


        def _parse_sdk_restart_count(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        sdk_restart_count = _parse_sdk_restart_count(d.pop("sdk_restart_count", UNSET))


        def _parse_pending_message_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        pending_message_id = _parse_pending_message_id(d.pop("pending_message_id", UNSET))


        def _parse_run_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        run_id = _parse_run_id(d.pop("run_id", UNSET))


        def _parse_run_state(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        run_state = _parse_run_state(d.pop("run_state", UNSET))


        def _parse_run_changed_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                run_changed_at_type_0 = datetime.datetime.fromisoformat(data)



                return run_changed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        run_changed_at = _parse_run_changed_at(d.pop("run_changed_at", UNSET))


        def _parse_imported_from(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        imported_from = _parse_imported_from(d.pop("imported_from", UNSET))


        session = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            version=version,
            project_id=project_id,
            name=name,
            llm_model=llm_model,
            llm_temperature=llm_temperature,
            llm_max_tokens=llm_max_tokens,
            stop_on_run_finished=stop_on_run_finished,
            created_by=created_by,
            starts=starts,
            mirrored=mirrored,
            agent_id=agent_id,
            prompt=prompt,
            repo_url=repo_url,
            repos=repos,
            timeout=timeout,
            inactivity_timeout=inactivity_timeout,
            parent_session_id=parent_session_id,
            environment_variables=environment_variables,
            resource_overrides=resource_overrides,
            labels=labels,
            annotations=annotations,
            skills=skills,
            phase=phase,
            phase_changed_at=phase_changed_at,
            conditions=conditions,
            start_time=start_time,
            completion_time=completion_time,
            observed_version=observed_version,
            kube_cr_name=kube_cr_name,
            kube_cr_uid=kube_cr_uid,
            kube_namespace=kube_namespace,
            reconciled_repos=reconciled_repos,
            sdk_session_id=sdk_session_id,
            sdk_restart_count=sdk_restart_count,
            pending_message_id=pending_message_id,
            run_id=run_id,
            run_state=run_state,
            run_changed_at=run_changed_at,
            imported_from=imported_from,
        )


        session.additional_properties = d
        return session

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
