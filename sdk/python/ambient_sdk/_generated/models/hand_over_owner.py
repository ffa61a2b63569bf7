from typing import Literal

HandOverOwner = Literal['ambient', 'legacy']

HAND_OVER_OWNER_VALUES: set[HandOverOwner] = { 'ambient', 'legacy',  }

def check_hand_over_owner(value: str) -> HandOverOwner:
    if value in HAND_OVER_OWNER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {HAND_OVER_OWNER_VALUES!r}")
