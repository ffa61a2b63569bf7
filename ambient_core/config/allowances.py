"""What callers may take: the settings that bound it."""

from dataclasses import dataclass

from ambient_core.config.declaration import setting


@dataclass(frozen=True, slots=True)
class Allowances:
    """How much of everything is given to anybody."""

    trusted_proxies: int = setting(
        0,
        "Proxies that every request comes through: the caller's address is what that many of them say in X-Forwarded-For; with 0 it "
        "is the connection's.",
        minimum=0,
    )
    rate_limit: int = setting(
        6000,
        "Requests a minute that one principal may send to one server, to all its workers together (429 beyond); 0 for no limit.",
        minimum=0,
        development=0,
    )
    address_rate_limit: int = setting(
        1200,
        "Requests a minute that one server takes from one address (of IPv6 a /64) before it knows who asks; 0 for no limit.",
        minimum=0,
        development=0,
    )
    failed_rate_limit: int = setting(
        60,
        "Refused credentials a minute after which one server takes no unknown ones from an address; 0 for no limit.",
        minimum=0,
        development=0,
    )
    header_timeout: float = setting(
        15.0,
        "Seconds that the head of a request may take from its first byte on, or a new connection may say nothing.",
        minimum=1,
    )
    body_timeout: float = setting(60.0, "Seconds that the body of a request may take (408 beyond).", minimum=1)
    send_timeout: float = setting(
        60.0, "Seconds that a caller may take for 64 KiB of an answer; one that takes less is cut off.", minimum=1
    )
    open_stream_limit: int = setting(
        1500,
        "Streams of every sort (watches, events, logs, lists as lines) that one worker holds at once, fewer than "
        "worker_connections (429 beyond); 0 for no limit.",
        minimum=0,
        development=0,
    )
    principal_stream_limit: int = setting(
        200,
        "Streams of one principal that one worker holds at once (429 beyond); 0 for no limit.",
        minimum=0,
        development=0,
    )
    refusal_retention_days: float = setting(
        30.0, "Days for which refusals are kept (GET /refusals); 0 for ever, up to refusal_limit.", minimum=0
    )
    refusal_limit: int = setting(100000, "Refusals that are kept; of more the oldest go.", minimum=0)
    rate_limit_storage_url: str = setting(
        "",
        "Where all servers count together, such as redis://host:6379 (needs limits[redis]); each for itself when empty.",
        secret=True,
    )
