"""Actions, logs and descriptions: what kinds declare beyond the five verbs."""

import re
import secrets
import threading
from typing import Any

import pytest

from tests.e2e.conftest import wait_for

pytestmark = pytest.mark.usefixtures("pride")
PIN = "canary-7f3a"


@pytest.fixture
def ada(call: Any) -> dict[str, Any]:
    body = {"name": f"ada-{secrets.token_hex(3)}", "project_id": "pride", "pin": PIN}
    answer = call("POST", "/keepers", json=body)
    assert answer.status_code == 201, answer.json
    return answer.json


def ends(call: Any, row: dict[str, Any], state: str) -> threading.Thread:
    """Somebody who ends the round of a keeper once it has begun."""

    def end() -> None:
        wait_for(lambda: call("GET", f"/keepers/{row['id']}").json.get("state") == "Busy", "begun")
        call("POST", f"/keepers/{row['id']}/finish", json={"state": state})

    thread = threading.Thread(target=end)
    thread.start()
    return thread


def test_an_action_of_a_strangers_kind_is_a_command_with_flags(ambient: Any, call: Any, ada: dict[str, Any]) -> None:
    fed = ambient("feed", "keeper", ada["name"], "--portions", "3")
    assert (fed.exit_code, fed.stdout) == (0, f"keepers/{ada['name']} feed done\n"), fed.output
    assert call("GET", f"/keepers/{ada['id']}").json["meals"] == 3


def test_an_action_takes_objects_as_they_are_printed(ambient: Any, ada: dict[str, Any]) -> None:
    printed = f"keepers/{ada['name']}"
    fed = ambient("feed", printed, printed, "--portions", "1")
    assert (fed.exit_code, fed.stdout) == (0, f"{printed} feed done\n" * 2), fed.output


def test_an_action_is_reached_the_long_way_as_well(ambient: Any, ada: dict[str, Any]) -> None:
    fed = ambient("action", "feed", "keepers", ada["name"], "--portions", "2", "-o", "jsonpath=.meals")
    assert fed.stdout == "2\n"
    assert "feed" in ambient("action", "--help").stdout


def test_the_flags_of_an_action_are_checked_here_and_there(ambient: Any, ada: dict[str, Any]) -> None:
    wrong = ambient("feed", "keeper", ada["name"], "--portions", "many")
    assert (wrong.exit_code, "'--portions': must be a whole number" in wrong.stderr) == (2, True)
    assert ambient("feed", "keeper", ada["name"]).exit_code == 2


def test_waiting_ends_when_it_is_over(ambient: Any, call: Any, ada: dict[str, Any]) -> None:
    other = ends(call, ada, "Done")
    walked = ambient("walk", "keeper", ada["name"], "--wait", "--timeout", "60")
    other.join()
    assert (walked.exit_code, walked.stdout) == (0, f"keepers/{ada['name']} walk done, state Done\n"), walked.output


def test_waiting_says_when_it_came_to_something_else_and_why(ambient: Any, call: Any, ada: dict[str, Any]) -> None:
    other = ends(call, ada, "Hurt")
    walked = ambient("walk", "keeper", ada["name"], "--wait", "--timeout", "60")
    other.join()
    said = [f"ambient: keepers/{ada['name']}: walk came to state Hurt.", "ambient: Safe: A lion is loose."]
    assert (walked.exit_code, walked.stderr.splitlines()) == (1, said)


def test_waiting_has_an_end(ambient: Any, ada: dict[str, Any]) -> None:
    walked = ambient("walk", "keeper", ada["name"], "--wait", "--timeout", "0")
    assert walked.exit_code == 1
    assert "after 0 s it is at state Busy still." in walked.stderr


def test_a_session_starts_and_stops_and_what_cannot_be_is_refused(ambient: Any) -> None:
    assert ambient("start", "session", "lone").stdout == "sessions/lone start done, phase Pending\n"
    again = ambient("start", "session", "lone")
    assert (again.exit_code, "Pending" in again.stderr) == (1, True)
    assert ambient("stop", "session", "lone").stdout == "sessions/lone stop done, phase Stopping\n"


def test_one_that_is_refused_does_not_keep_the_others(ambient: Any, ada: dict[str, Any]) -> None:
    fed = ambient("feed", "keepers", "nobody", ada["name"], "--portions", "1")
    assert (fed.exit_code, fed.stdout) == (3, f"keepers/{ada['name']} feed done\n")
    assert fed.stderr.startswith("ambient: keepers/nobody: There is no Keeper")


def test_a_rehearsal_of_an_action_changes_nothing(ambient: Any, call: Any, ada: dict[str, Any]) -> None:
    fed = ambient("feed", "keeper", ada["name"], "--portions", "9", "--dry-run")
    assert fed.stdout == f"keepers/{ada['name']} feed done (dry run)\n"
    assert "meals" not in call("GET", f"/keepers/{ada['id']}").json


def test_what_was_deleted_is_restored_by_its_id(ambient: Any, call: Any) -> None:
    lion = call("POST", "/lions", json={"name": "Ghost"}).json
    call("DELETE", f"/lions/{lion['id']}")
    assert ambient("restore", "lion", lion["id"], "--version", "1").stdout == "lions/" + lion["id"] + " restore done\n"
    assert call("GET", f"/lions/{lion['id']}").json["name"] == "Ghost"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gte", "lions"], "No such command 'gte'"),
        (["feed", "lions", "x"], "lions have no feed; it is of keepers."),
        (["start", "lion", "x"], "lions have no start; it is of sessions."),
    ],
)
def test_what_is_no_action_is_a_wrong_command_line(ambient: Any, arguments: list[str], words: str) -> None:
    wrong = ambient(*arguments)
    assert (wrong.exit_code, words in wrong.stderr) == (2, True), wrong.output


def test_logs_are_printed_line_by_line(ambient: Any, ada: dict[str, Any]) -> None:
    whole = ambient("logs", "keeper", ada["name"])
    assert (whole.exit_code, whole.stdout) == (0, "opened the gate\nfed Simba\nclosed the gate\n")
    assert ambient("logs", "keeper", ada["name"], "--tail", "1").stdout == "closed the gate\n"


def test_logs_are_asked_for_as_the_kind_lets(ambient: Any, ada: dict[str, Any]) -> None:
    assert "cannot be asked for with --follow" in ambient("logs", "keeper", ada["name"], "-f").stderr
    assert "lions have no logs; it is of keepers, sessions." in ambient("logs", "lion", "Simba").stderr
    assert "--since takes 10m" in ambient("logs", "session", "lone", "--since", "lately").stderr


def test_a_description_has_all_but_the_secret(ambient: Any, call: Any, ada: dict[str, Any]) -> None:
    call("POST", f"/keepers/{ada['id']}/walk")
    shown = ambient("describe", "keeper", ada["name"])
    assert shown.exit_code == 0, shown.output
    assert PIN not in shown.stdout
    text = re.sub(r"[0-9T:.Z-]{19,} \(\d+s ago\)", "TIME", shown.stdout)
    text = re.sub(r"(person:\w+ +)\d+s +", r"\1AGE   ", text)
    assert text == (
        f"id:         {ada['id']}\n"
        "created_at: TIME\n"
        "updated_at: TIME\n"
        "version:    2\n"
        "project_id: pride\n"
        f"name:       {ada['name']}\n"
        "state:      Busy\n"
        "pin:        (never shown)\n"
        "conditions:\n"
        "  TYPE   STATUS   REASON   LAST_TRANSITION   MESSAGE\n"
        "  Safe   False    Loose    -                 A lion is loose.\n"
        "history:\n"
        "  VERSION   VERB     ACTOR              AGE   CHANGED\n"
        "  2         walk     person:developer   AGE   conditions, state\n"
        "  1         create   person:developer   AGE   -\n"
    )


def test_a_description_of_a_session_explains_it(ambient: Any) -> None:
    shown = ambient("describe", "session", "lone", "--history", "0").stdout.split("explain:\n")[1]
    explained = ambient("explain", "session", "lone").stdout
    assert explained.strip()
    expected = "".join(f"  {line}".rstrip() + "\n" for line in explained.splitlines())
    assert re.sub(r"\d+ s", "N s", shown) == re.sub(r"\d+ s", "N s", expected)


def test_a_secret_comes_from_the_standard_input_and_is_warned_of_otherwise(ambient: Any, call: Any) -> None:
    quiet = ambient("create", "keeper", "-p", "pride", "--name", "quiet", "--pin", "@-", input=f"{PIN}\n")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "keepers/quiet created\n", "")
    loud = ambient("create", "keeper", "-p", "pride", "--name", "loud", "--pin", PIN)
    assert (loud.exit_code, PIN in loud.output) == (0, False)
    assert "others on this machine can see --pin" in loud.stderr
    missing = ambient("create", "keeper", "-p", "pride", "--name", "none")
    assert (missing.exit_code, "--pin must be given; --pin @- reads it" in missing.stderr) == (2, True)


def test_a_secret_without_a_value_is_asked_for(ambient: Any, call: Any) -> None:
    asked = ambient("create", "keeper", "-p", "pride", "--name", "asked", "--pin", input=f"{PIN}\n")
    assert (asked.exit_code, PIN in asked.output) == (0, False)
    assert asked.stdout.endswith("keepers/asked created\n")
