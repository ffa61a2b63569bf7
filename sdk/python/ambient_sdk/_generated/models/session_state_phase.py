from typing import Literal

SessionStatePhase = Literal['Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping']

SESSION_STATE_PHASE_VALUES: set[SessionStatePhase] = { 'Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping',  }

def check_session_state_phase(value: str) -> SessionStatePhase:
    if value in SESSION_STATE_PHASE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_STATE_PHASE_VALUES!r}")
