from typing import Literal

SessionPhaseType3Type1 = Literal['Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping']

SESSION_PHASE_TYPE_3_TYPE_1_VALUES: set[SessionPhaseType3Type1] = { 'Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping',  }

def check_session_phase_type_3_type_1(value: str) -> SessionPhaseType3Type1:
    if value in SESSION_PHASE_TYPE_3_TYPE_1_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_PHASE_TYPE_3_TYPE_1_VALUES!r}")
