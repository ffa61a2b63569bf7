from typing import Literal

CredentialProvider = Literal['github', 'gitlab', 'google', 'jira', 'kubeconfig', 'vertex']

CREDENTIAL_PROVIDER_VALUES: set[CredentialProvider] = { 'github', 'gitlab', 'google', 'jira', 'kubeconfig', 'vertex',  }

def check_credential_provider(value: str) -> CredentialProvider:
    if value in CREDENTIAL_PROVIDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CREDENTIAL_PROVIDER_VALUES!r}")
