"""Every setting of the service, once. Each is an environment variable: STYLIZE_PORT sets `port`."""

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from service.machine import parse_amount, why_no_heic
from service.messages import explain, quote
from service.settings.keys import KeysError, read_keys

PREFIX = "STYLIZE_"
Port = Annotated[int, Field(ge=1, le=65535)]

# Kubernetes gives every pod such variables for every Service of the namespace; for one that is called
# "stylize" they start like ours.
_SERVICE_LINK = re.compile(r"STYLIZE_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)")


class SettingsError(Exception):
    """The environment does not make sense.

    Attributes:
        problems: one sentence for each variable that is wrong.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _network_or_file(value: str) -> str:
    if value in ("auto", "vgg16", "vgg19", "custom") or value.endswith((".safetensors", ".pth", ".pt")):
        return value
    raise ValueError(
        f'STYLIZE_BACKBONE is "{value}": give auto, vgg16, vgg19, custom, or the path of a .safetensors or .pth file.'
    )


_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _host(value: str) -> str:
    """An address or a name; of IPv6 without the brackets that it has in a URL, so that it can be bound."""
    bare = value.removeprefix("[").removesuffix("]") if re.fullmatch(r"\[.*\]", value) else value
    try:
        if ":" in bare and "%" not in bare:
            return str(ipaddress.IPv6Address(bare))
    except ValueError:
        pass
    if _HOST_NAME.fullmatch(value):
        return value
    raise ValueError(
        f"STYLIZE_HOST is {quote(value)}: give an address to listen on without a port, like 0.0.0.0, "
        "127.0.0.1, or :: for IPv6."
    )


_USUAL_PIXELS = 40_000_000
_LEAST_MEMORY = 256 * 2**20


def _memory(value: object) -> object:
    """An amount like 6GiB; None for "auto"."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "auto":
        return None
    amount = parse_amount(value)
    if amount is None or amount < _LEAST_MEMORY:
        raise ValueError(
            f"STYLIZE_MEMORY is {quote(value)}: give an amount like 6GiB or 900MiB, at least 256MiB, or auto."
        )
    return amount


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?")


def _origins(value: object) -> object:
    """Comma-separated origins, as browsers send them."""
    if not isinstance(value, str):
        return value
    origins = tuple(part.strip().lower() for part in value.split(",") if part.strip())
    for origin in origins:
        if not (_ORIGIN.fullmatch(origin) or origins == ("*",)):
            raise ValueError(
                f"STYLIZE_CORS_ORIGINS: {quote(origin)} is not an origin: give some like https://example.org, with "
                "commas between them and without paths, or * alone for every page there is."
            )
    return origins


class Settings(BaseSettings):
    """What an operator can set. Use `load_settings`, which explains what is wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    host: Annotated[str, AfterValidator(_host)] = Field(
        default="127.0.0.1", description="address to listen on; 0.0.0.0 in a container, :: with IPv6"
    )
    port: Port = Field(default=8080, description="the public port")
    admin_port: Port = Field(default=9090, description="metrics and probes; not for the public")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto takes the GPU where there is one"
    )
    backbone: Annotated[str, AfterValidator(_network_or_file)] = Field(
        default="auto",
        description="auto (vgg19 where provisioned, else vgg16), vgg16, vgg19, custom, or a file of weights",
    )
    weights_dir: Path = Field(default=Path("weights"), description="where provisioned weights are")
    styles_dir: Path | None = Field(
        default=None,
        description="a folder of artworks that can be asked for by name; without it there are none",
    )
    api_keys_file: Path | None = Field(
        default=None, description="a file with one name:key on each line; without it everybody may come in"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        default=(),
        description="pages that may call the service, like https://a.org,https://b.org, or *; without it none",
    )
    playground: bool = Field(default=True, description="a page to paint with at /, for browsers")
    provenance: bool = Field(
        default=True, description="whether results say in XMP that an AI system made them (IPTC)"
    )
    precision: Literal["auto", "bf16", "tf32", "fp32"] = Field(
        default="auto",
        description="of the convolutions: bf16, tf32 (NVIDIA), fp32; auto: bf16 where the hardware has it",
    )
    cuda_graphs: bool = Field(
        default=False,
        description="on a GPU, record steps up to 1024x1024 px and replay them; takes an eighth of the memory",
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="CPU threads of one optimisation; as many as the process may use"
    )
    queue_size: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=4, description="requests that may wait behind the running one; more are refused with 429"
    )
    max_per_key: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="requests that the owner of a key may have inside at once; more are refused with 429",
    )
    deadline: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=120.0,
        description="seconds from request to answer; X-Request-Timeout may ask for less",
    )
    memory: Annotated[int | None, BeforeValidator(_memory)] = Field(
        default=None,
        description="what the painting of one picture may take, like 6GiB; auto: what is left when it starts",
    )
    max_size: Annotated[int, Field(ge=64, le=8192)] | None = Field(
        default=None, description="longest side that can be asked for; 1024 on a CPU, 4096 on a GPU"
    )
    max_upload_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=20_000_000, description="of one request's body"
    )
    max_pixels: Annotated[int, Field(ge=4096)] | None = Field(
        default=None,
        description="of one picture that is sent; 40 million, or more where max_size allows a result of more. A "
        "JPEG that is reduced as it is decoded may have 3 times as many",
    )
    heic: bool = Field(default=False, description="read HEIC pictures too; needs the extra stylize[heic]")
    default_budget: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="seconds for a request that sets neither budget nor iterations; the whole schedule",
    )
    max_budget: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=60.0, description="seconds that any request may take at most"
    )
    upload_stall: Annotated[float, Field(gt=0)] = Field(
        default=10.0,
        description="seconds without a byte after which an upload is given up with 408, or a client cut off",
    )
    upload_timeout: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="seconds that a whole upload may take"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

    @property
    def url_host(self) -> str:
        """The host as it is written before a port: IPv6 in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def most_pixels(self) -> int:
        """Of one picture that is sent: a result can be sent again, unless `max_pixels` says otherwise."""
        return self.max_pixels or max(_USUAL_PIXELS, (self.max_size or 0) ** 2)

    @property
    def places(self) -> int:
        """Requests that are inside at most: the running one and those that wait."""
        return 1 + self.queue_size


def load_settings() -> Settings:
    """The settings of this process's environment.

    Raises:
        SettingsError: variables that are wrong or do not exist; all of them at once.
    """
    names = {PREFIX + field.upper() for field in Settings.model_fields}
    problems = [
        _unknown(name, names)
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in names and not _SERVICE_LINK.fullmatch(name)
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(problems + _sentences(error)) from None
    if settings.port == settings.admin_port:
        problems.append(
            f"STYLIZE_PORT and STYLIZE_ADMIN_PORT are both {settings.port}: give the admin port another number."
        )
    if settings.default_budget is not None and settings.default_budget > settings.max_budget:
        problems.append(
            f"STYLIZE_DEFAULT_BUDGET is {settings.default_budget:g}: give at most STYLIZE_MAX_BUDGET, "
            f"which is {settings.max_budget:g}."
        )
    if settings.max_per_key is not None and settings.api_keys_file is None:
        problems.append(
            f"STYLIZE_MAX_PER_KEY is {settings.max_per_key}, but there are no keys: set STYLIZE_API_KEYS_FILE "
            "as well, or neither."
        )
    if settings.heic and (why := why_no_heic()):
        problems.append(f"STYLIZE_HEIC is on, but {why}, or leave it off.")
    if settings.styles_dir is not None and not settings.styles_dir.is_dir():
        problems.append(f"STYLIZE_STYLES_DIR is {settings.styles_dir}: give a folder that exists.")
    if settings.api_keys_file is not None:
        try:
            read_keys(settings.api_keys_file)
        except KeysError as error:
            problems += [f"STYLIZE_API_KEYS_FILE: {problem}" for problem in error.problems]
    if problems:
        raise SettingsError(problems)
    return settings


def _unknown(name: str, names: set[str]) -> str:
    # Without what all of them have in common, which would make everything look alike.
    close = difflib.get_close_matches(name.removeprefix(PREFIX), [n.removeprefix(PREFIX) for n in names], n=1)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else f"there are {', '.join(sorted(names))}."
    return f"{name} is not a setting: {hint}"


def _sentences(error: ValidationError) -> list[str]:
    properties: dict[str, Any] = Settings.model_json_schema()["properties"]
    sentences = []
    for detail in error.errors():
        field = str(detail["loc"][0])
        sentence = explain(detail, PREFIX + field.upper(), properties[field])
        if str(detail["input"]).startswith("tcp://"):
            sentence += (
                " Kubernetes sets this for a Service named stylize: set enableServiceLinks: false in the pod."
            )
        sentences.append(sentence)
    return sentences
