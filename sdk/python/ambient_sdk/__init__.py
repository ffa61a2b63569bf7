"""Python client of the Ambient API."""

from ambient_sdk.batch import Batch, Result
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
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    ServerError,
    TooManyRequests,
    Unauthenticated,
)
from ambient_sdk.resource import Page, Resource

__all__ = [
    "AmbientClient",
    "AmbientError",
    "ApiError",
    "BadAnswer",
    "BadRequest",
    "Batch",
    "Conflict",
    "ConnectionFailed",
    "Fault",
    "Forbidden",
    "NotFound",
    "Page",
    "PreconditionFailed",
    "PreconditionRequired",
    "Resource",
    "Result",
    "ServerError",
    "TooManyRequests",
    "Unauthenticated",
]
