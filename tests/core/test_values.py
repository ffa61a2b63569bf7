"""What a value must be, for every type of a field: refused by name before the database is asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, DateTime, Numeric, Text, Uuid
from sqlalchemy.orm import Mapped

from ambient_core import Invalid, Kind, Resource, SetupError, field, schemas


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    class Parcel(Resource):
        """A parcel."""

        __tablename__ = "parcels"

        price: Mapped[float | None] = field(Numeric(5, 2))
        weight: Mapped[float | None] = field(Numeric)
        sent: Mapped[datetime | None] = field(DateTime(timezone=True))
        steps: Mapped[int | None] = field(BigInteger)
        key: Mapped[str | None] = field(Uuid(as_uuid=False))

    yield schemas.schemas_of(Kind(Parcel)).create
    Resource.metadata.remove(Parcel.__table__)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("price", 1000, "must have at most 3 digits before the point."),
        ("price", -1e300, "must have at most 3 digits before the point."),
        ("price", 1.001, "must have at most 2 digits after the point."),
        ("price", 1e-30, "must have at most 2 digits after the point."),
        ("steps", 2**63, "must be at most 9223372036854775807."),
        ("key", "x", "must be a UUID, such as 6f1c9a52-7a0e-4d0c-9b1e-1f4a3f0b8d11."),
        ("key", "{6f1c9a52-7a0e-4d0c-9b1e-1f4a3f0b8d11}", "must be a UUID, such as 6f1c9a52-7a0e-4d0c-9b1e-1f4a3f0b8d11."),
        ("sent", "yesterday", "must be an RFC 3339 time such as 2026-01-31T12:00:00Z."),
        ("sent", "0001-01-01T00:00:00+14:00", "must be an RFC 3339 time such as 2026-01-31T12:00:00Z."),
        ("sent", "9999-12-31T23:59:59-12:00", "must be an RFC 3339 time such as 2026-01-31T12:00:00Z."),
    ],
)  # fmt: skip
def test_a_value_that_the_column_cannot_keep_is_refused_by_name(made: Any, name: str, value: Any, reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        schemas.load(made, {name: value})
    assert [(fault.field, fault.reason) for fault in refusal.value.faults] == [(f"/{name}", reason)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("price", 999.99), ("price", -5), ("price", 1.10), ("price", 0.1 + 0.2), ("weight", 1e300), ("weight", 1.000001), ("steps", 2**63 - 1),
     ("key", "6F1C9A52-7a0e-4d0c-9b1e-1f4a3f0b8d11")],
)  # fmt: skip
def test_a_value_that_it_can_keep_is_taken_as_it_is(made: Any, name: str, value: Any) -> None:
    assert schemas.load(made, {name: value}) == {name: value}


@pytest.mark.parametrize(
    ("option", "hint"),
    [("formta", "did you mean 'format'?"), ("maxx", "did you mean 'max'?"), ("zzz", "options: access,")],
)
def test_an_option_that_no_field_has_is_named_with_the_right_one(option: str, hint: str) -> None:
    with pytest.raises(SetupError) as refusal:
        field(Text, **{option: 1})
    assert str(refusal.value).startswith(f"field() has no option {option!r}; {hint}")
