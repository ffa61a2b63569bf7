from typing import Literal

BatchOperationOp = Literal['action', 'apply', 'create', 'delete', 'patch', 'restore']

BATCH_OPERATION_OP_VALUES: set[BatchOperationOp] = { 'action', 'apply', 'create', 'delete', 'patch', 'restore',  }

def check_batch_operation_op(value: str) -> BatchOperationOp:
    if value in BATCH_OPERATION_OP_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {BATCH_OPERATION_OP_VALUES!r}")
