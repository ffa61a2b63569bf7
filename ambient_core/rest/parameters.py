"""What a request says beside its body: query parameters and preconditions, as values."""

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache

import orjson
from sqlalchemy import ColumnElement, and_
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from ambient_core import search
from ambient_core.errors import BadQuery, NotAcceptable, PreconditionRequired
from ambient_core.http.context import the_request
from ambient_core.http.preconditions import Precondition, precondition
from ambient_core.kinds import Kind, rules_of
from ambient_core.search.paging import fields_of, order_of, page_of, truth, whole
from ambient_core.store.query import Query

PROJECT_HEADER = "X-Ambient-Project"
_PROJECT_VARIABLE = "HTTP_X_AMBIENT_PROJECT"
LIST_PARAMETERS = ("page", "size", "page_token", "total", "search", "orderBy", "fields", "as_of", "watch")
DRY_RUN = "dry_run"
MOST_AFFECTED = 10_000
_NEXT = re.compile(rb"(?<![^&])page_token=[^&]+")
"""The query is the same whichever page is next."""


@lru_cache(maxsize=512)
def searchable(kind: Kind) -> Mapping[str, search.Column]:
    """The readable fields of a kind, as search and order take them."""
    return {column.name: search.Column.of(column, rules_of(column).choices) for column in kind.readable}


def project_header() -> str | None:
    """The project that the request's header names."""
    # Not by `headers`, which makes the name of the variable anew with each look: every list and every get asks.
    return the_request().environ.get(_PROJECT_VARIABLE)


def one(name: str) -> str | None:
    """A query parameter that may be given once.

    Raises:
        BadQuery: it came twice.
    """
    asked = the_request()
    if not asked.query_string:
        return None
    values = asked.args.getlist(name)
    if len(values) > 1:
        raise BadQuery(f"The parameter {name!r} came {len(values)} times; give it once.")
    return values[0] if values else None


def may_name(query: bytes, name: bytes) -> bool:
    """Whether a query string may have a parameter of this name: a look that costs less than reading it."""
    return name in query or b"%" in query


def check_parameters(*known: str) -> None:
    """Refuse query parameters that mean nothing here: a misspelt filter must not answer with everything.

    Raises:
        BadQuery: naming the parameter and what is near it.
    """
    asked = the_request()
    for name in asked.args if asked.query_string else ():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known ones: {', '.join(known) or 'none'}."
            raise BadQuery(f"The parameter {name[:100]!r} is not known here; {hint}")


def negotiate(*offers: str) -> str:
    """Which of the formats that an address has the caller wants; the first, unless it says otherwise.

    Raises:
        NotAcceptable: it accepts none of them.
    """
    header = the_request().environ.get("HTTP_ACCEPT")
    return offers[0] if not header or header in ("*/*", offers[0]) else _negotiated(header, offers)


@lru_cache(maxsize=256)
def _negotiated(header: str, offers: tuple[str, ...]) -> str:
    best = parse_accept_header(header, MIMEAccept).best_match(offers)
    if best is None:
        raise NotAcceptable(f"This address answers with {' or '.join(offers)}; accept it.")
    return best


def is_dry_run() -> bool:
    """Whether this write is only rehearsed (``dry_run=true``).

    Raises:
        BadQuery: the parameter is neither true nor false.
    """
    return truth(DRY_RUN, one(DRY_RUN), default=False) if the_request().query_string else False


def preconditions(*, required: bool) -> Precondition | None:
    """What ``If-Match`` and ``If-None-Match`` ask for; ``None`` when neither came.

    Args:
        required: whether the caller must say which version the change builds on.

    Raises:
        BadQuery: a header holds no entity tags.
        PreconditionRequired: ``If-Match`` is missing.
    """
    environ = the_request().environ
    found = precondition(environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH"))
    check_match(found, required=required)
    return found


def check_match(found: Precondition | None, *, required: bool) -> None:
    """Refuse a change that does not say which version it builds on, where it must.

    Raises:
        PreconditionRequired: it does not.
    """
    if required and (found is None or found.match is None):
        raise PreconditionRequired(
            "Say by If-Match which version this change builds on; the ETag of the object, as you read it, is the value."
        )


def list_query(kind: Kind) -> Query:
    """Read the parameters of a list: page, size, search, orderBy, fields, and the project.

    Raises:
        BadQuery: naming the parameter and its rule.
    """
    return _list_query(kind, _NEXT.sub(b"page_token=_", the_request().query_string), project_header())


def matching(kind: Kind) -> Query:
    """Read what a deletion by search is about: ``search``, and the project as in a list.

    Raises:
        BadQuery: the search is missing, or wrong.
    """
    project = project_parameter(kind)
    check_parameters("search", "max_affected", DRY_RUN, *([project] if project else []))
    if not (one("search") or "").strip():
        raise BadQuery("search is missing: say which objects to delete.")
    return _query(kind, project_header())


def max_affected() -> int:
    """Read the required ``max_affected``.

    Raises:
        BadQuery: it is missing or no number in its range.
    """
    text = one("max_affected")
    if text is None:
        raise BadQuery("max_affected is missing: say how many objects this may delete at most.")
    return whole("max_affected", [text], 0, MOST_AFFECTED)


@lru_cache(maxsize=1024)
def _list_query(kind: Kind, _text: bytes, header: str | None) -> Query:
    """The same text means the same query, whoever asks: a list that is asked for again is not parsed again."""
    project = project_parameter(kind)
    check_parameters(*LIST_PARAMETERS, *([project] if project else []))
    return _query(kind, header)


def _query(kind: Kind, header: str | None) -> Query:
    project = project_parameter(kind)
    columns = searchable(kind)
    text, where = one("search"), searched(kind)
    wanted = asked_project(kind, header)
    if project and wanted:
        belongs = kind.table.c[project] == wanted
        where = belongs if where is None else and_(belongs, where)
    fields = fields_of(one("fields"), kind.selectable)
    order = order_of(one("orderBy"), columns)
    query = Query(page_of(the_request().args.to_dict(flat=False)), where, order, fields)
    return replace(query, binding=orjson.dumps([kind.plural, text, query.terms, wanted]))


def project_parameter(kind: Kind) -> str | None:
    """The query parameter that names the project of a kind's objects, if they live in one."""
    return kind.project_column if kind.project_column != "id" else None


def asked_project(kind: Kind, header: str | None) -> str | None:
    """The project that a list is asked for, by parameter or header.

    Raises:
        BadQuery: it cannot be the name of one.
    """
    parameter = project_parameter(kind)
    wanted = (one(parameter) or header) if parameter else None
    if wanted:
        check_project(wanted)
        agree(header, wanted, parameter or "")
    return wanted or None


def agree(header: str | None, named: str, where: str) -> None:
    """Refuse a project header that says another project than the rest of the request.

    Raises:
        BadQuery: it does.
    """
    if header and header != named:
        raise BadQuery(f"{PROJECT_HEADER} and {where} name two different projects; give one of them.")


def searched(kind: Kind) -> "ColumnElement[bool] | None":
    """The condition of the parameter ``search``.

    Raises:
        BadQuery: it cannot be read, or names what the kind does not have.
    """
    text = one("search")
    return search.where(search.parse(text), searchable(kind)) if text and text.strip() else None


def check_project(name: str) -> None:
    """Refuse what cannot be the name of a project.

    Raises:
        BadQuery: saying what could.
    """
    if len(name) > 63 or not name.isprintable() or "\0" in name:
        raise BadQuery("The project must be the name of one: at most 63 printable characters.")


@lru_cache(maxsize=4096)
def in_project(kind: Kind, scope: "ColumnElement[bool] | None", project: str) -> "ColumnElement[bool] | None":
    """A scope within the project that the header names; the same object for the same question."""
    column = kind.project_column
    if column is None:
        return scope
    check_project(project)
    belongs = kind.table.c[column] == project
    return belongs if scope is None else and_(scope, belongs)
