from typing import Literal

CredentialCreateProvider = Literal['github', 'gitlab', 'google', 'jira', 'kubeconfig', 'vertex']

CREDENTIAL_CREATE_PROVIDER_VALUES: set[CredentialCreateProvider] = { 'github', 'gitlab', 'google', 'jira', 'kubeconfig', 'vertex',  }

def check_credential_create_provider(value: str) -> CredentialCreateProvider:
    if value in CREDENTIAL_CREATE_PROVIDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CREDENTIAL_CREATE_PROVIDER_VALUES!r}")
