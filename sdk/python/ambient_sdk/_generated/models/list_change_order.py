from typing import Literal

ListChangeOrder = Literal['newest', 'oldest']

LIST_CHANGE_ORDER_VALUES: set[ListChangeOrder] = { 'newest', 'oldest',  }

def check_list_change_order(value: str) -> ListChangeOrder:
    if value in LIST_CHANGE_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_CHANGE_ORDER_VALUES!r}")
