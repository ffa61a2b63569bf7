from typing import Literal

CredentialPatchProvider = Literal['github', 'gitlab', 'google', 'jira', 'kubeconfig', 'vertex']

CREDENTIAL_PATCH_PROVIDER_VALUES: set[CredentialPatchProvider] = { 'github', 'gitlab', 'google', 'jira', 'kubeconfig', 'vertex',  }

def check_credential_patch_provider(value: str) -> CredentialPatchProvider:
    if value in CREDENTIAL_PATCH_PROVIDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CREDENTIAL_PATCH_PROVIDER_VALUES!r}")
