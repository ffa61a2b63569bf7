"""Where a runner may be (case 52): what the settings allow, and nothing that leads out of the cluster."""

from ipaddress import ip_address

import pytest
from ambient_sessions.agui.address import is_runner_address
from ambient_sessions.settings import SessionsSettings

LOCAL = SessionsSettings(runtime="local")
SERVICE = SessionsSettings(runtime="operator")
POD = SessionsSettings(runtime="job", kube_endpoint="pod")
DEVELOPMENT = SessionsSettings(runtime="job", kube_endpoint="pod", allow_loopback_runners=True)
CASES = [
    ("127.0.0.1", {"local", "development"}),
    ("127.9.8.7", {"local", "development"}),
    ("::1", {"local", "development"}),
    ("10.1.2.3", {"pod", "development"}),
    ("100.64.0.9", {"pod", "development"}),
    ("fd00::1", {"pod", "development"}),
    ("169.254.169.254", set()),
    ("fe80::1", set()),
    ("8.8.8.8", set()),
    ("0.0.0.0", set()),
    ("224.0.0.1", set()),
]


@pytest.mark.parametrize(("host", "allowed"), CASES)
def test_an_address_is_a_runner_s_only_where_the_settings_say_so(host: str, allowed: set[str]) -> None:
    settings = {"local": LOCAL, "service": SERVICE, "pod": POD, "development": DEVELOPMENT}
    assert {name for name, given in settings.items() if is_runner_address(ip_address(host), given)} == allowed
