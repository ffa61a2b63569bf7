from typing import Literal

SessionPhaseType1 = Literal['Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping']

SESSION_PHASE_TYPE_1_VALUES: set[SessionPhaseType1] = { 'Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping',  }

def check_session_phase_type_1(value: str) -> SessionPhaseType1:
    if value in SESSION_PHASE_TYPE_1_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_PHASE_TYPE_1_VALUES!r}")
