"""Headers that every answer carries, so that a browser does nothing with it but what it is meant for."""

from collections.abc import Mapping

# A page that is more than data says for itself what it may load. Not here: Strict-Transport-Security, which belongs
# to whatever ends TLS before the service.
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
