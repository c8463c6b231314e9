"""Bearer keys (RFC 6750), for the routes that cost something."""

import re

from flask import request

from service.api.context import current_service
from service.api.record import record
from service.problems import UNAUTHORIZED, Problem
from service.settings import Key

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_REALM = 'Bearer realm="stylize"'


def require_key() -> Key | None:
    """Let the request through where the service is open to everybody, or it carries a key of the service.

    Call it first: a request without a key gets neither a place nor its body read. The log's line for the request
    gets the name of the key, and its priority where it is not the usual one.

    Returns:
        The key; None where there are none.

    Raises:
        Problem: there is no key, or it is not one of ours.
    """
    keys = current_service().keys
    if keys is None:
        return None
    given = request.headers.get("Authorization")
    if given is None:
        raise Problem(UNAUTHORIZED, headers={"WWW-Authenticate": _REALM})
    found = _BEARER.fullmatch(given.strip())
    key = keys.find(found[1]) if found else None
    if key is None:
        detail = (
            "This key is not valid, or no longer: ask the person who runs this service for one."
            if found
            else "The Authorization header has no bearer key: send Authorization: Bearer KEY."
        )
        raise Problem(UNAUTHORIZED, detail, headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})
    record().facts["key_name"] = key.name
    if key.batch:
        record().facts["priority"] = "batch"
    return key
