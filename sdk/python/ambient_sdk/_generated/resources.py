"""Generated from openapi.yaml (sha256 78bf5e07fdb2ce301fe96109783952a24c6ded150df2bf0f33180a6a7dc8b263); do not edit, run: make sdk."""

from collections.abc import Iterator
from typing import Any

from ambient_sdk._generated.models.credential import Credential
from ambient_sdk._generated.models.credential_token import CredentialToken
from ambient_sdk._generated.models.handed_over import HandedOver
from ambient_sdk._generated.models.history_entry_list import HistoryEntryList
from ambient_sdk._generated.models.messages_taken import MessagesTaken
from ambient_sdk._generated.models.permission_list import PermissionList
from ambient_sdk._generated.models.project import Project
from ambient_sdk._generated.models.role import Role
from ambient_sdk._generated.models.role_binding import RoleBinding
from ambient_sdk._generated.models.secret import Secret
from ambient_sdk._generated.models.service_account import ServiceAccount
from ambient_sdk._generated.models.session import Session
from ambient_sdk._generated.models.session_explanation import SessionExplanation
from ambient_sdk._generated.models.session_list import SessionList
from ambient_sdk._generated.models.session_message import SessionMessage
from ambient_sdk._generated.models.session_message_list import SessionMessageList
from ambient_sdk._generated.models.session_token import SessionToken
from ambient_sdk._generated.models.skill import Skill
from ambient_sdk._generated.models.task import Task
from ambient_sdk._generated.models.token import Token
from ambient_sdk._generated.models.user import User
from ambient_sdk.resource import Resource, dry, matching, read
from ambient_sdk.transport import Transport


class CredentialsResource(Resource[Credential]):
    """Objects of kind Credential."""

    path = "/api/ambient/v1/credentials"
    model = Credential

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Credential, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Credential:
        """Write an old version of a Credential anew, also of one that was deleted."""
        return read(Credential, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def fetch_token(self, id: str) -> CredentialToken:
        """Answer the token of a credential to a session that has it; the change log says who fetched it and when."""
        return read(CredentialToken, self._transport.json("GET", self._address(id, "token")))


class ProjectsResource(Resource[Project]):
    """Objects of kind Project."""

    path = "/api/ambient/v1/projects"
    model = Project

    def fetch_project_credential_token(self, id: str, credential_id: str) -> CredentialToken:
        """Answer the token of a credential to a session of this project that has it; as fetchCredentialToken."""
        return read(CredentialToken, self._transport.json("GET", self._address(id, "credentials", credential_id, "token")))

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Project, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Project:
        """Write an old version of a Project anew, also of one that was deleted."""
        return read(Project, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))


class RoleBindingsResource(Resource[RoleBinding]):
    """Objects of kind RoleBinding."""

    path = "/api/ambient/v1/role_bindings"
    model = RoleBinding

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a RoleBinding, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> RoleBinding:
        """Write an old version of a RoleBinding anew, also of one that was deleted."""
        return read(RoleBinding, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))


class RolesResource(Resource[Role]):
    """Objects of kind Role."""

    path = "/api/ambient/v1/roles"
    model = Role

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Role, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def permissions(self, id: str) -> PermissionList:
        """List the permissions of a role, and whether anything that is loaded knows them."""
        return read(PermissionList, self._transport.json("GET", self._address(id, "permissions")))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Role:
        """Write an old version of a Role anew, also of one that was deleted."""
        return read(Role, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))


class ServiceAccountsResource(Resource[ServiceAccount]):
    """Objects of kind ServiceAccount."""

    path = "/api/ambient/v1/service_accounts"
    model = ServiceAccount

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a ServiceAccount, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> ServiceAccount:
        """Write an old version of a ServiceAccount anew, also of one that was deleted."""
        return read(ServiceAccount, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))


class SessionsResource(Resource[Session]):
    """Objects of kind Session."""

    path = "/api/ambient/v1/sessions"
    model = Session

    def hand_over(self, *, dry_run: bool = False, **fields: Any) -> HandedOver:
        """Hand the imported sessions of a project over to us, or back; for the control plane alone."""
        return read(HandedOver, self._transport.json("POST", self.path + "/handover", query=dry(dry_run), body=fields))

    def import_session(self, *, dry_run: bool = False, **fields: Any) -> Session:
        """Mirror a session of the legacy platform; for the control plane alone."""
        return read(Session, self._transport.json("POST", self.path + "/import", query=dry(dry_run), body=fields))

    def get_session_capabilities(self, id: str) -> dict[str, Any]:
        """What the session's runner can do."""
        return self._transport.json("GET", self._address(id, "agui", "capabilities"))

    def interrupt_session(self, id: str, **fields: Any) -> dict[str, Any]:
        """Interrupt the run that is on."""
        return self._transport.json("POST", self._address(id, "agui", "interrupt"), body=fields)

    def list_session_run(self, id: str) -> dict[str, Any]:
        """The runs of a session, newest first."""
        return self._transport.json("GET", self._address(id, "agui", "runs"))

    def clone(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> Session:
        """Make a new session with the same task and settings, as a child of this one."""
        return read(Session, self._transport.json("POST", self._address(id, "clone"), query=dry(dry_run), headers=matching(if_match)))

    def put_endpoint(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> None:
        """Say where the runner of a session answers; for the control plane alone."""
        self._transport.send("PATCH", self._address(id, "endpoint"), query=dry(dry_run), headers=matching(if_match), body=fields)

    def explain(self, id: str) -> SessionExplanation:
        """Explain why a session stands where it stands."""
        return read(SessionExplanation, self._transport.json("GET", self._address(id, "explain")))

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Session, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def import_messages(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> MessagesTaken:
        """Write messages of a mirrored session; for the control plane alone."""
        return read(MessagesTaken, self._transport.json("POST", self._address(id, "imported-messages"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def logs(self, id: str, *, follow: Any = None, tail: Any = None, since: Any = None) -> Iterator[str]:
        """Read what the runner of a session wrote."""
        return self._transport.lines("GET", self._address(id, "logs"), query={key: value for key, value in {"follow": follow, "tail": tail, "since": since}.items() if value is not None})

    def messages(self, id: str, *, after_seq: Any = None, page: Any = None, size: Any = None) -> SessionMessageList:
        """Read the messages of a session, oldest first."""
        return read(SessionMessageList, self._transport.json("GET", self._address(id, "messages"), query={key: value for key, value in {"after_seq": after_seq, "page": page, "size": size}.items() if value is not None}))

    def push_message(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> SessionMessage:
        """Add a message to a session."""
        return read(SessionMessage, self._transport.json("POST", self._address(id, "messages"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Session:
        """Write an old version of a Session anew, also of one that was deleted."""
        return read(Session, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def start(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> Session:
        """Start a session that is not running."""
        return read(Session, self._transport.json("POST", self._address(id, "start"), query=dry(dry_run), headers=matching(if_match)))

    def patch_status(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Session:
        """Write what was seen of a session."""
        return read(Session, self._transport.json("PATCH", self._address(id, "status"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def stop(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> Session:
        """Stop a session that is pending, creating or running."""
        return read(Session, self._transport.json("POST", self._address(id, "stop"), query=dry(dry_run), headers=matching(if_match)))

    def issue_token(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> SessionToken:
        """Make a token of this start of a session; for the control plane alone. It is dead when the start has ended."""
        return read(SessionToken, self._transport.json("POST", self._address(id, "token"), query=dry(dry_run), headers=matching(if_match)))


class SkillsResource(Resource[Skill]):
    """Objects of kind Skill."""

    path = "/api/ambient/v1/skills"
    model = Skill

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Skill, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Skill:
        """Write an old version of a Skill anew, also of one that was deleted."""
        return read(Skill, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))


class TasksResource(Resource[Task]):
    """Objects of kind Task."""

    path = "/api/ambient/v1/tasks"
    model = Task

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Task, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Task:
        """Write an old version of a Task anew, also of one that was deleted."""
        return read(Task, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def run(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> Session:
        """Make a session from this task and start it."""
        return read(Session, self._transport.json("POST", self._address(id, "run"), query=dry(dry_run), headers=matching(if_match)))

    def sessions(self, id: str, *, page: Any = None, size: Any = None) -> SessionList:
        """List the sessions that were made from this task, newest first."""
        return read(SessionList, self._transport.json("GET", self._address(id, "sessions"), query={key: value for key, value in {"page": page, "size": size}.items() if value is not None}))


class TokensResource(Resource[Token]):
    """Objects of kind Token."""

    path = "/api/ambient/v1/tokens"
    model = Token

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a Token, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Token:
        """Write an old version of a Token anew, also of one that was deleted."""
        return read(Token, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))

    def issue(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> Secret:
        """Make the secret of a token, and show it this once; an earlier one works on for as long as `overlap` says."""
        return read(Secret, self._transport.json("POST", self._address(id, "secret"), query=dry(dry_run), headers=matching(if_match), body=fields))


class UsersResource(Resource[User]):
    """Objects of kind User."""

    path = "/api/ambient/v1/users"
    model = User

    def disable(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> User:
        """Keep a person out: every token is refused within seconds, and open streams end."""
        return read(User, self._transport.json("POST", self._address(id, "disable"), query=dry(dry_run), headers=matching(if_match)))

    def enable(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> User:
        """Let a person in again who was kept out."""
        return read(User, self._transport.json("POST", self._address(id, "enable"), query=dry(dry_run), headers=matching(if_match)))

    def history(self, id: str, *, size: Any = None, page_token: Any = None) -> HistoryEntryList:
        """List the versions of a User, newest first: who made each, when, and what it changed."""
        return read(HistoryEntryList, self._transport.json("GET", self._address(id, "history"), query={key: value for key, value in {"size": size, "page_token": page_token}.items() if value is not None}))

    def restore(self, id: str, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> User:
        """Write an old version of a User anew, also of one that was deleted."""
        return read(User, self._transport.json("POST", self._address(id, "restore"), query=dry(dry_run), headers=matching(if_match), body=fields))


class Resources:
    """One attribute per kind."""

    def __init__(self, transport: Transport) -> None:
        self.credentials = CredentialsResource(transport)
        self.projects = ProjectsResource(transport)
        self.role_bindings = RoleBindingsResource(transport)
        self.roles = RolesResource(transport)
        self.service_accounts = ServiceAccountsResource(transport)
        self.sessions = SessionsResource(transport)
        self.skills = SkillsResource(transport)
        self.tasks = TasksResource(transport)
        self.tokens = TokensResource(transport)
        self.users = UsersResource(transport)
