from typing import Literal

SessionPhaseType2Type1 = Literal['Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping']

SESSION_PHASE_TYPE_2_TYPE_1_VALUES: set[SessionPhaseType2Type1] = { 'Completed', 'Creating', 'Failed', 'Pending', 'Running', 'Stopped', 'Stopping',  }

def check_session_phase_type_2_type_1(value: str) -> SessionPhaseType2Type1:
    if value in SESSION_PHASE_TYPE_2_TYPE_1_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_PHASE_TYPE_2_TYPE_1_VALUES!r}")
