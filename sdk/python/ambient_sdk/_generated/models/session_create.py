from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.repository import Repository
  from ..models.session_create_annotations_type_0 import SessionCreateAnnotationsType0
  from ..models.session_create_environment_variables_type_0 import SessionCreateEnvironmentVariablesType0
  from ..models.session_create_labels_type_0 import SessionCreateLabelsType0
  from ..models.session_create_resource_overrides_type_0 import SessionCreateResourceOverridesType0





T = TypeVar("T", bound="SessionCreate")



@_attrs_define
class SessionCreate:
    """ 
        Attributes:
            project_id (str): Where it lives. Example: website.
            name (str): For people to read. Example: Tidy the readme.
            agent_id (None | str | Unset): The agent of the project whose session it is; fixed. Who has a role at that agent
                has it here. Example: reviewer.
            prompt (None | str | Unset): First message to the agent. Example: Look around and report..
            repo_url (None | str | Unset): A repository to clone. Example: https://example.com/site.git.
            repos (list[Repository] | None | Unset): Repositories to clone.
            llm_model (str | Unset): Model that the agent uses. Default: 'claude-sonnet-4-6'.
            llm_temperature (float | Unset): Sampling temperature. Default: 0.7.
            llm_max_tokens (int | Unset): Tokens of one answer at most. Default: 4000.
            timeout (int | None | Unset): Seconds that the session may run; 0 for no limit. Example: 3600.
            inactivity_timeout (int | None | Unset): Seconds without a run after which it is stopped; 0 for no limit.
            stop_on_run_finished (bool | Unset): Complete the session when a run has finished. Default: False.
            parent_session_id (None | str | Unset): The session that this one continues.
            environment_variables (None | SessionCreateEnvironmentVariablesType0 | Unset): Variables that the runner gets.
            resource_overrides (None | SessionCreateResourceOverridesType0 | Unset): Requests and limits of the runner.
            labels (None | SessionCreateLabelsType0 | Unset): For selecting. Example: {'team': 'web'}.
            annotations (None | SessionCreateAnnotationsType0 | Unset): For tools.
            skills (list[str] | None | Unset): Names of skills; all of the project's when absent.
     """

    project_id: str
    name: str
    agent_id: None | str | Unset = UNSET
    prompt: None | str | Unset = UNSET
    repo_url: None | str | Unset = UNSET
    repos: list[Repository] | None | Unset = UNSET
    llm_model: str | Unset = 'claude-sonnet-4-6'
    llm_temperature: float | Unset = 0.7
    llm_max_tokens: int | Unset = 4000
    timeout: int | None | Unset = UNSET
    inactivity_timeout: int | None | Unset = UNSET
    stop_on_run_finished: bool | Unset = False
    parent_session_id: None | str | Unset = UNSET
    environment_variables: None | SessionCreateEnvironmentVariablesType0 | Unset = UNSET
    resource_overrides: None | SessionCreateResourceOverridesType0 | Unset = UNSET
    labels: None | SessionCreateLabelsType0 | Unset = UNSET
    annotations: None | SessionCreateAnnotationsType0 | Unset = UNSET
    skills: list[str] | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.repository import Repository # noqa: PLC0415
        from ..models.session_create_annotations_type_0 import SessionCreateAnnotationsType0 # noqa: PLC0415
        from ..models.session_create_environment_variables_type_0 import SessionCreateEnvironmentVariablesType0 # noqa: PLC0415
        from ..models.session_create_labels_type_0 import SessionCreateLabelsType0 # noqa: PLC0415
        from ..models.session_create_resource_overrides_type_0 import SessionCreateResourceOverridesType0 # noqa: PLC0415
        project_id = self.project_id

        name = self.name

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

        llm_model = self.llm_model

        llm_temperature = self.llm_temperature

        llm_max_tokens = self.llm_max_tokens

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

        stop_on_run_finished = self.stop_on_run_finished

        parent_session_id: None | str | Unset
        if isinstance(self.parent_session_id, Unset):
            parent_session_id = UNSET
        else:
            parent_session_id = self.parent_session_id

        environment_variables: dict[str, Any] | None | Unset
        if isinstance(self.environment_variables, Unset):
            environment_variables = UNSET
        elif isinstance(self.environment_variables, SessionCreateEnvironmentVariablesType0):
            environment_variables = self.environment_variables.to_dict()
        else:
            environment_variables = self.environment_variables

        resource_overrides: dict[str, Any] | None | Unset
        if isinstance(self.resource_overrides, Unset):
            resource_overrides = UNSET
        elif isinstance(self.resource_overrides, SessionCreateResourceOverridesType0):
            resource_overrides = self.resource_overrides.to_dict()
        else:
            resource_overrides = self.resource_overrides

        labels: dict[str, Any] | None | Unset
        if isinstance(self.labels, Unset):
            labels = UNSET
        elif isinstance(self.labels, SessionCreateLabelsType0):
            labels = self.labels.to_dict()
        else:
            labels = self.labels

        annotations: dict[str, Any] | None | Unset
        if isinstance(self.annotations, Unset):
            annotations = UNSET
        elif isinstance(self.annotations, SessionCreateAnnotationsType0):
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


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "project_id": project_id,
            "name": name,
        })
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if repo_url is not UNSET:
            field_dict["repo_url"] = repo_url
        if repos is not UNSET:
            field_dict["repos"] = repos
        if llm_model is not UNSET:
            field_dict["llm_model"] = llm_model
        if llm_temperature is not UNSET:
            field_dict["llm_temperature"] = llm_temperature
        if llm_max_tokens is not UNSET:
            field_dict["llm_max_tokens"] = llm_max_tokens
        if timeout is not UNSET:
            field_dict["timeout"] = timeout
        if inactivity_timeout is not UNSET:
            field_dict["inactivity_timeout"] = inactivity_timeout
        if stop_on_run_finished is not UNSET:
            field_dict["stop_on_run_finished"] = stop_on_run_finished
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

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.repository import Repository # noqa: PLC0415
        from ..models.session_create_annotations_type_0 import SessionCreateAnnotationsType0 # noqa: PLC0415
        from ..models.session_create_environment_variables_type_0 import SessionCreateEnvironmentVariablesType0 # noqa: PLC0415
        from ..models.session_create_labels_type_0 import SessionCreateLabelsType0 # noqa: PLC0415
        from ..models.session_create_resource_overrides_type_0 import SessionCreateResourceOverridesType0 # noqa: PLC0415
        d = dict(src_dict)
        project_id = d.pop("project_id")

        name = d.pop("name")

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


        llm_model = d.pop("llm_model", UNSET)

        llm_temperature = d.pop("llm_temperature", UNSET)

        llm_max_tokens = d.pop("llm_max_tokens", UNSET)

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


        stop_on_run_finished = d.pop("stop_on_run_finished", UNSET)

        def _parse_parent_session_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        parent_session_id = _parse_parent_session_id(d.pop("parent_session_id", UNSET))


        def _parse_environment_variables(data: object) -> None | SessionCreateEnvironmentVariablesType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                environment_variables_type_0 = SessionCreateEnvironmentVariablesType0.from_dict(data)



                return environment_variables_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionCreateEnvironmentVariablesType0 | Unset, data)

        environment_variables = _parse_environment_variables(d.pop("environment_variables", UNSET))


        def _parse_resource_overrides(data: object) -> None | SessionCreateResourceOverridesType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                resource_overrides_type_0 = SessionCreateResourceOverridesType0.from_dict(data)



                return resource_overrides_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionCreateResourceOverridesType0 | Unset, data)

        resource_overrides = _parse_resource_overrides(d.pop("resource_overrides", UNSET))


        def _parse_labels(data: object) -> None | SessionCreateLabelsType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                labels_type_0 = SessionCreateLabelsType0.from_dict(data)



                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionCreateLabelsType0 | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))


        def _parse_annotations(data: object) -> None | SessionCreateAnnotationsType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                annotations_type_0 = SessionCreateAnnotationsType0.from_dict(data)



                return annotations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SessionCreateAnnotationsType0 | Unset, data)

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


        session_create = cls(
            project_id=project_id,
            name=name,
            agent_id=agent_id,
            prompt=prompt,
            repo_url=repo_url,
            repos=repos,
            llm_model=llm_model,
            llm_temperature=llm_temperature,
            llm_max_tokens=llm_max_tokens,
            timeout=timeout,
            inactivity_timeout=inactivity_timeout,
            stop_on_run_finished=stop_on_run_finished,
            parent_session_id=parent_session_id,
            environment_variables=environment_variables,
            resource_overrides=resource_overrides,
            labels=labels,
            annotations=annotations,
            skills=skills,
        )


        session_create.additional_properties = d
        return session_create

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
