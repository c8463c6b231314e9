"""HTTP: every resource of the service."""

from service.api.app import create_admin_app, create_app
from service.api.context import Service, service_of
from service.api.security import HEADERS

__all__ = [
    "HEADERS",
    "Service",
    "create_admin_app",
    "create_app",
    "service_of",
]
