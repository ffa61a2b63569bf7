""" Contains all the data models used in inputs/outputs """

from .batch_operation import BatchOperation
from .batch_operation_body import BatchOperationBody
from .batch_operation_op import BatchOperationOp
from .batch_operation_result import BatchOperationResult
from .batch_operation_result_body import BatchOperationResultBody
from .batch_request import BatchRequest
from .batch_result import BatchResult
from .change import Change
from .change_list import ChangeList
from .change_object_type_0 import ChangeObjectType0
from .condition import Condition
from .credential import Credential
from .credential_annotations_type_0 import CredentialAnnotationsType0
from .credential_create import CredentialCreate
from .credential_create_annotations_type_0 import CredentialCreateAnnotationsType0
from .credential_create_labels_type_0 import CredentialCreateLabelsType0
from .credential_create_provider import CredentialCreateProvider
from .credential_labels_type_0 import CredentialLabelsType0
from .credential_list import CredentialList
from .credential_patch import CredentialPatch
from .credential_patch_annotations_type_0 import CredentialPatchAnnotationsType0
from .credential_patch_labels_type_0 import CredentialPatchLabelsType0
from .credential_patch_provider import CredentialPatchProvider
from .credential_provider import CredentialProvider
from .credential_token import CredentialToken
from .deadline import Deadline
from .deletion import Deletion
from .error import Error
from .error_errors_item import ErrorErrorsItem
from .error_results_item import ErrorResultsItem
from .get_error_response_200 import GetErrorResponse200
from .get_metadata_response_200 import GetMetadataResponse200
from .get_protected_resource_response_200 import GetProtectedResourceResponse200
from .get_protected_resource_response_200_ambient_logins_item import GetProtectedResourceResponse200AmbientLoginsItem
from .get_session_capabilities_response_200 import GetSessionCapabilitiesResponse200
from .get_version_response_200 import GetVersionResponse200
from .hand_over import HandOver
from .hand_over_owner import HandOverOwner
from .handed_over import HandedOver
from .happening import Happening
from .history_entry import HistoryEntry
from .history_entry_diff_item import HistoryEntryDiffItem
from .history_entry_list import HistoryEntryList
from .imported_message import ImportedMessage
from .imported_message_event_type import ImportedMessageEventType
from .imported_messages import ImportedMessages
from .interrupt_session_body import InterruptSessionBody
from .interrupt_session_response_200 import InterruptSessionResponse200
from .key import Key
from .list_change_order import ListChangeOrder
from .list_error_response_200 import ListErrorResponse200
from .list_error_response_200_items_item import ListErrorResponse200ItemsItem
from .list_plugin_response_200 import ListPluginResponse200
from .list_plugin_response_200_items_item import ListPluginResponse200ItemsItem
from .list_session_event_attach import ListSessionEventAttach
from .list_session_run_response_200 import ListSessionRunResponse200
from .list_session_run_response_200_items_item import ListSessionRunResponse200ItemsItem
from .messages_taken import MessagesTaken
from .new_secret import NewSecret
from .object_state import ObjectState
from .object_state_seen import ObjectStateSeen
from .object_states import ObjectStates
from .pagination_metadata import PaginationMetadata
from .permission_list import PermissionList
from .permission_shown import PermissionShown
from .project import Project
from .project_annotations_type_0 import ProjectAnnotationsType0
from .project_create import ProjectCreate
from .project_create_annotations_type_0 import ProjectCreateAnnotationsType0
from .project_create_labels_type_0 import ProjectCreateLabelsType0
from .project_labels_type_0 import ProjectLabelsType0
from .project_list import ProjectList
from .project_patch import ProjectPatch
from .project_patch_annotations_type_0 import ProjectPatchAnnotationsType0
from .project_patch_labels_type_0 import ProjectPatchLabelsType0
from .reconciled_repository import ReconciledRepository
from .refusal import Refusal
from .refusal_list import RefusalList
from .repository import Repository
from .restoring import Restoring
from .review_access_response_200 import ReviewAccessResponse200
from .review_access_response_200_chain_item import ReviewAccessResponse200ChainItem
from .role import Role
from .role_binding import RoleBinding
from .role_binding_create import RoleBindingCreate
from .role_binding_create_scope import RoleBindingCreateScope
from .role_binding_list import RoleBindingList
from .role_binding_patch import RoleBindingPatch
from .role_binding_scope import RoleBindingScope
from .role_create import RoleCreate
from .role_list import RoleList
from .role_patch import RolePatch
from .run_session_body import RunSessionBody
from .run_session_body_messages_item import RunSessionBodyMessagesItem
from .secret import Secret
from .service_account import ServiceAccount
from .service_account_create import ServiceAccountCreate
from .service_account_list import ServiceAccountList
from .service_account_patch import ServiceAccountPatch
from .session import Session
from .session_annotations_type_0 import SessionAnnotationsType0
from .session_create import SessionCreate
from .session_create_annotations_type_0 import SessionCreateAnnotationsType0
from .session_create_environment_variables_type_0 import SessionCreateEnvironmentVariablesType0
from .session_create_labels_type_0 import SessionCreateLabelsType0
from .session_create_resource_overrides_type_0 import SessionCreateResourceOverridesType0
from .session_endpoint import SessionEndpoint
from .session_environment_variables_type_0 import SessionEnvironmentVariablesType0
from .session_explanation import SessionExplanation
from .session_explanation_seen import SessionExplanationSeen
from .session_import import SessionImport
from .session_import_session import SessionImportSession
from .session_labels_type_0 import SessionLabelsType0
from .session_list import SessionList
from .session_message import SessionMessage
from .session_message_create import SessionMessageCreate
from .session_message_list import SessionMessageList
from .session_origin import SessionOrigin
from .session_patch import SessionPatch
from .session_patch_annotations_type_0 import SessionPatchAnnotationsType0
from .session_patch_environment_variables_type_0 import SessionPatchEnvironmentVariablesType0
from .session_patch_labels_type_0 import SessionPatchLabelsType0
from .session_patch_resource_overrides_type_0 import SessionPatchResourceOverridesType0
from .session_phase_type_1 import SessionPhaseType1
from .session_phase_type_2_type_1 import SessionPhaseType2Type1
from .session_phase_type_3_type_1 import SessionPhaseType3Type1
from .session_resource_overrides_type_0 import SessionResourceOverridesType0
from .session_state import SessionState
from .session_state_phase import SessionStatePhase
from .session_status_patch import SessionStatusPatch
from .session_status_patch_phase import SessionStatusPatchPhase
from .session_token import SessionToken
from .skill import Skill
from .skill_create import SkillCreate
from .skill_list import SkillList
from .skill_patch import SkillPatch
from .task import Task
from .task_create import TaskCreate
from .task_list import TaskList
from .task_patch import TaskPatch
from .token import Token
from .token_create import TokenCreate
from .token_list import TokenList
from .token_patch import TokenPatch
from .user import User
from .user_create import UserCreate
from .user_list import UserList
from .user_patch import UserPatch
from .waiting import Waiting
from .wanted import Wanted
from .whoami_response_200 import WhoamiResponse200
from .whoami_response_200_attributes import WhoamiResponse200Attributes

__all__ = (
    "BatchOperation",
    "BatchOperationBody",
    "BatchOperationOp",
    "BatchOperationResult",
    "BatchOperationResultBody",
    "BatchRequest",
    "BatchResult",
    "Change",
    "ChangeList",
    "ChangeObjectType0",
    "Condition",
    "Credential",
    "CredentialAnnotationsType0",
    "CredentialCreate",
    "CredentialCreateAnnotationsType0",
    "CredentialCreateLabelsType0",
    "CredentialCreateProvider",
    "CredentialLabelsType0",
    "CredentialList",
    "CredentialPatch",
    "CredentialPatchAnnotationsType0",
    "CredentialPatchLabelsType0",
    "CredentialPatchProvider",
    "CredentialProvider",
    "CredentialToken",
    "Deadline",
    "Deletion",
    "Error",
    "ErrorErrorsItem",
    "ErrorResultsItem",
    "GetErrorResponse200",
    "GetMetadataResponse200",
    "GetProtectedResourceResponse200",
    "GetProtectedResourceResponse200AmbientLoginsItem",
    "GetSessionCapabilitiesResponse200",
    "GetVersionResponse200",
    "HandedOver",
    "HandOver",
    "HandOverOwner",
    "Happening",
    "HistoryEntry",
    "HistoryEntryDiffItem",
    "HistoryEntryList",
    "ImportedMessage",
    "ImportedMessageEventType",
    "ImportedMessages",
    "InterruptSessionBody",
    "InterruptSessionResponse200",
    "Key",
    "ListChangeOrder",
    "ListErrorResponse200",
    "ListErrorResponse200ItemsItem",
    "ListPluginResponse200",
    "ListPluginResponse200ItemsItem",
    "ListSessionEventAttach",
    "ListSessionRunResponse200",
    "ListSessionRunResponse200ItemsItem",
    "MessagesTaken",
    "NewSecret",
    "ObjectState",
    "ObjectStates",
    "ObjectStateSeen",
    "PaginationMetadata",
    "PermissionList",
    "PermissionShown",
    "Project",
    "ProjectAnnotationsType0",
    "ProjectCreate",
    "ProjectCreateAnnotationsType0",
    "ProjectCreateLabelsType0",
    "ProjectLabelsType0",
    "ProjectList",
    "ProjectPatch",
    "ProjectPatchAnnotationsType0",
    "ProjectPatchLabelsType0",
    "ReconciledRepository",
    "Refusal",
    "RefusalList",
    "Repository",
    "Restoring",
    "ReviewAccessResponse200",
    "ReviewAccessResponse200ChainItem",
    "Role",
    "RoleBinding",
    "RoleBindingCreate",
    "RoleBindingCreateScope",
    "RoleBindingList",
    "RoleBindingPatch",
    "RoleBindingScope",
    "RoleCreate",
    "RoleList",
    "RolePatch",
    "RunSessionBody",
    "RunSessionBodyMessagesItem",
    "Secret",
    "ServiceAccount",
    "ServiceAccountCreate",
    "ServiceAccountList",
    "ServiceAccountPatch",
    "Session",
    "SessionAnnotationsType0",
    "SessionCreate",
    "SessionCreateAnnotationsType0",
    "SessionCreateEnvironmentVariablesType0",
    "SessionCreateLabelsType0",
    "SessionCreateResourceOverridesType0",
    "SessionEndpoint",
    "SessionEnvironmentVariablesType0",
    "SessionExplanation",
    "SessionExplanationSeen",
    "SessionImport",
    "SessionImportSession",
    "SessionLabelsType0",
    "SessionList",
    "SessionMessage",
    "SessionMessageCreate",
    "SessionMessageList",
    "SessionOrigin",
    "SessionPatch",
    "SessionPatchAnnotationsType0",
    "SessionPatchEnvironmentVariablesType0",
    "SessionPatchLabelsType0",
    "SessionPatchResourceOverridesType0",
    "SessionPhaseType1",
    "SessionPhaseType2Type1",
    "SessionPhaseType3Type1",
    "SessionResourceOverridesType0",
    "SessionState",
    "SessionStatePhase",
    "SessionStatusPatch",
    "SessionStatusPatchPhase",
    "SessionToken",
    "Skill",
    "SkillCreate",
    "SkillList",
    "SkillPatch",
    "Task",
    "TaskCreate",
    "TaskList",
    "TaskPatch",
    "Token",
    "TokenCreate",
    "TokenList",
    "TokenPatch",
    "User",
    "UserCreate",
    "UserList",
    "UserPatch",
    "Waiting",
    "Wanted",
    "WhoamiResponse200",
    "WhoamiResponse200Attributes",
)
