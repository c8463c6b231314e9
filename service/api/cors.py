"""Pages of other origins (CORS, the Fetch standard, section 3.2), where STYLIZE_CORS_ORIGINS names them.

By hand, because it is this short. flask-cors takes paths and origins for patterns, which has let in more than was
meant (CVE-2024-6866); here an origin is in the list, letter by letter, or it is not.
"""

from collections.abc import Collection

from flask import Flask, Response, current_app, request

# What a page may send besides what every page may, and read besides what every page may.
_ACCEPTED = (
    "Accept, Authorization, Content-Type, If-None-Match, Last-Event-ID, X-Request-ID, X-Request-Timeout"
)
_EXPOSED = ("ETag", "Retry-After", "Server-Timing", "WWW-Authenticate", "X-Request-ID")
_OURS = "X-Stylize-"
_REMEMBER_SECONDS = "7200"  # the most that Chromium keeps


def register(app: Flask, origins: Collection[str]) -> None:
    """Answer preflights, and let pages of these origins read all answers, those with errors included.

    Cookies are never asked for: a key in the Authorization header is no credential in the sense of CORS.

    Args:
        app: the application.
        origins: like https://example.org, or "*" for all of them; nothing happens where there are none.
    """
    if not origins:
        return

    def preflight() -> Response | None:
        if (
            request.method != "OPTIONS"
            or request.url_rule is None
            or "Access-Control-Request-Method" not in request.headers
            or _allowed(origins) is None
        ):
            return None
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = ", ".join(
            sorted(current_app.make_default_options_response().allow)
        )
        response.headers["Access-Control-Allow-Headers"] = _ACCEPTED
        response.headers["Access-Control-Max-Age"] = _REMEMBER_SECONDS
        return response

    def share(response: Response) -> Response:
        allowed = _allowed(origins)
        if allowed != "*":
            response.vary.add("Origin")
        if allowed is not None:
            response.headers["Access-Control-Allow-Origin"] = allowed
            ours = [name for name in response.headers.keys() if name.startswith(_OURS)]  # noqa: SIM118
            response.headers["Access-Control-Expose-Headers"] = ", ".join([*_EXPOSED, *ours])
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    app.before_request(preflight)
    app.after_request(share)


def _allowed(origins: Collection[str]) -> str | None:
    """What Access-Control-Allow-Origin has to say to this request; None: nothing."""
    if "*" in origins:
        return "*"
    origin = request.headers.get("Origin")
    return origin if origin in origins else None
