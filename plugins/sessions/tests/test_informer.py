"""What an informer keeps of objects, and how they are found."""

from typing import Any

from ambient_sessions.cluster.client import Cluster, Scope
from ambient_sessions.cluster.informer import Informer, Seen, news, slim
from ambient_sessions.cluster.resources import PODS
from ambient_sessions.settings import SessionsSettings


def pod(name: str, session: str, version: int = 1) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "demo", "uid": name, "resourceVersion": str(version)}
    metadata |= {"labels": {"session": session}, "managedFields": [{"manager": "kubelet"}]}
    return {"metadata": metadata, "spec": {"containers": [{"name": "runner"}]}, "status": {"phase": "Running"}}


def informer() -> Informer:
    cluster = Cluster(SessionsSettings())
    return Informer(cluster, PODS, Scope("demo"), lambda _: None, lambda found: found["metadata"]["labels"]["session"])


def test_what_nobody_reads_is_not_kept_and_the_original_is_left_alone() -> None:
    original = pod("a", "one")
    kept = slim(original)
    assert (kept["spec"], kept["status"], "managedFields" in kept["metadata"]) == ({}, {"phase": "Running"}, False)
    assert original == pod("a", "one")
    assert slim({"metadata": {"name": "j"}, "spec": {"suspend": True, "template": {}}})["spec"] == {"suspend": True}


def test_objects_are_found_by_their_group_until_they_go() -> None:
    seen = informer()
    for name, session in (("a", "one"), ("b", "one"), ("c", "two")):
        seen.put(pod(name, session))
    assert {found["metadata"]["name"] for found in seen.of("one")} == {"a", "b"}
    seen.put(pod("b", "two", version=2))
    seen.drop("demo", "a")
    assert (seen.of("one"), {found["metadata"]["name"] for found in seen.of("two")}) == ([], {"b", "c"})


def test_older_news_do_not_move_an_object_back() -> None:
    seen = informer()
    seen.put(pod("a", "two", version=9))
    seen.put(pod("a", "one", version=3))
    assert (seen.of("one"), len(seen.of("two"))) == ([], 1)


def seen(name: str, text: bytes) -> Seen:
    return Seen(text, 0.0, ("demo", name), name, 1, "")


def test_of_a_list_only_what_came_or_changed_is_news() -> None:
    known = {found.key: found for found in (seen("a", b"1"), seen("b", b"1"))}
    assert [found.key[1] for found in news([seen("a", b"1"), seen("b", b"2"), seen("c", b"1")], known)] == ["b", "c"]
