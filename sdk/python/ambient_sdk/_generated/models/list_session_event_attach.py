from typing import Literal

ListSessionEventAttach = Literal['false', 'true']

LIST_SESSION_EVENT_ATTACH_VALUES: set[ListSessionEventAttach] = { 'false', 'true',  }

def check_list_session_event_attach(value: str) -> ListSessionEventAttach:
    if value in LIST_SESSION_EVENT_ATTACH_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_SESSION_EVENT_ATTACH_VALUES!r}")
