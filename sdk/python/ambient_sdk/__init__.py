"""Python client of the Ambient API."""

from ambient_sdk.batch import Batch, Result
from ambient_sdk.changes import ChangePage, Changes
from ambient_sdk.client import AmbientClient
from ambient_sdk.errors import (
    AmbientError,
    ApiError,
    BadAnswer,
    BadRequest,
    Conflict,
    ConnectionFailed,
    Fault,
    Forbidden,
    Gone,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    ServerError,
    TooManyRequests,
    Unauthenticated,
)
from ambient_sdk.resource import Page, Plain, Resource
from ambient_sdk.watch import Event, Watch

__all__ = [
    "AmbientClient",
    "AmbientError",
    "ApiError",
    "BadAnswer",
    "BadRequest",
    "Batch",
    "ChangePage",
    "Changes",
    "Conflict",
    "ConnectionFailed",
    "Event",
    "Fault",
    "Forbidden",
    "Gone",
    "NotFound",
    "Page",
    "Plain",
    "PreconditionFailed",
    "PreconditionRequired",
    "Resource",
    "Result",
    "ServerError",
    "TooManyRequests",
    "Unauthenticated",
    "Watch",
]
