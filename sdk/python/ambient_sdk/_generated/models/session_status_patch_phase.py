from typing import Literal

SessionStatusPatchPhase = Literal['Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping']

SESSION_STATUS_PATCH_PHASE_VALUES: set[SessionStatusPatchPhase] = { 'Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping',  }

def check_session_status_patch_phase(value: str) -> SessionStatusPatchPhase:
    if value in SESSION_STATUS_PATCH_PHASE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_STATUS_PATCH_PHASE_VALUES!r}")
