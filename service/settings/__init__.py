"""The settings of the service, from the environment, and the keys that may come in."""

from service.settings.keys import Key, Keys
from service.settings.settings import PREFIX, Settings, SettingsError, load_settings

__all__ = [
    "PREFIX",
    "Key",
    "Keys",
    "Settings",
    "SettingsError",
    "load_settings",
]
