from typing import Literal

ImportedMessageEventType = Literal['assistant', 'user']

IMPORTED_MESSAGE_EVENT_TYPE_VALUES: set[ImportedMessageEventType] = { 'assistant', 'user',  }

def check_imported_message_event_type(value: str) -> ImportedMessageEventType:
    if value in IMPORTED_MESSAGE_EVENT_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {IMPORTED_MESSAGE_EVENT_TYPE_VALUES!r}")
