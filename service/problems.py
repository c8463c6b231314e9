"""Everything that can be answered in place of a picture, in one table (RFC 9457, problem details)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from service.messages import clipped

MEDIA_TYPE = "application/problem+json"

# What a request to paint came to: the label of stylize_requests_total.
Outcome = Literal[
    "ok",
    "unauthorized",
    "invalid_input",
    "shed_queue_full",
    "shed_key_limit",
    "shed_deadline",
    "shed_not_ready",
    "deadline_exceeded",
    "oom",
    "client_gone",
    "error",
]

GivenUp = Literal["client_gone", "deadline"]
"""Why nobody wants a job any more."""


# An answer is short, however long the question was.
_MOST_ERRORS = 32
_LONGEST_NAME, _LONGEST_MESSAGE, _LONGEST_DETAIL = 80, 1000, 4000


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem.

    Attributes:
        slug: its stable name; `uri` is what clients compare.
        status: HTTP status.
        title: the same for every occurrence.
        detail: what to do, where the occurrence has nothing more exact to say.
        outcome: what a request to paint that ends so is counted as.
    """

    slug: str
    status: int
    title: str
    detail: str
    outcome: Outcome = "invalid_input"

    @property
    def uri(self) -> str:
        """The `type` member: a path of this service, where the problem is explained."""
        return f"/problems/{self.slug}"


MALFORMED = ProblemType(
    "malformed-request",
    400,
    "The request cannot be read",
    "Send multipart/form-data or JSON that is complete and well formed.",
)
UNAUTHORIZED = ProblemType(
    "unauthorized",
    401,
    "A key is needed",
    "Send a key for this service: Authorization: Bearer KEY.",
    "unauthorized",
)
NOT_FOUND = ProblemType(
    "not-found", 404, "No such resource", "GET / lists what exists; /openapi.yaml describes it."
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "Wrong method", "Use one of the methods that the Allow header names."
)
NOT_ACCEPTABLE = ProblemType(
    "not-acceptable",
    406,
    "The answer does not exist in this format",
    "Accept image/png, image/jpeg, image/webp, image/avif, application/json or text/event-stream.",
)
UPLOAD_STALLED = ProblemType(
    "upload-stalled", 408, "The upload took too long", "Send the whole body without pausing."
)
BODY_TOO_LARGE = ProblemType("body-too-large", 413, "Too many bytes", "Send smaller pictures.")
URI_TOO_LONG = ProblemType("uri-too-long", 414, "The address is too long", "Send options in the body.")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "Wrong type of body",
    "Send multipart/form-data, or application/json with base64 pictures.",
)
UNSUPPORTED_IMAGE = ProblemType(
    "unsupported-image",
    415,
    "The file is not a picture that the service can read",
    "Send JPEG, PNG, WebP, AVIF or TIFF.",
)
INVALID_REQUEST = ProblemType(
    "invalid-request",
    422,
    "Something in the request is missing, unknown or out of range",
    "Correct the fields that `errors` names.",
)
UNUSABLE_IMAGE = ProblemType(
    "unusable-image",
    422,
    "A picture is damaged, too large or too small",
    "Send an undamaged picture within the limits.",
)
QUEUE_FULL = ProblemType(
    "queue-full",
    429,
    "Too many requests at once",
    "Try again after the number of seconds in Retry-After.",
    "shed_queue_full",
)
KEY_LIMIT = ProblemType(
    "too-many-for-key",
    429,
    "Too many requests at once with this key",
    "Wait for an answer before sending more, or try again after the number of seconds in Retry-After.",
    "shed_key_limit",
)
HEADERS_TOO_LARGE = ProblemType("headers-too-large", 431, "The headers are too long", "Send fewer headers.")
INTERNAL = ProblemType(
    "internal-error",
    500,
    "Something went wrong in the service",
    "The error has been logged under this request_id. The same request may work if you send it again.",
    "error",
)
NOT_READY = ProblemType(
    "not-ready",
    503,
    "The service is not ready",
    "Try again after the number of seconds in Retry-After.",
    "shed_not_ready",
)
CANNOT_MEET_DEADLINE = ProblemType(
    "cannot-meet-deadline",
    503,
    "The deadline cannot be met",
    "Try again after the number of seconds in Retry-After, or allow more time with X-Request-Timeout.",
    "shed_deadline",
)
OUT_OF_MEMORY = ProblemType(
    "out-of-memory",
    503,
    "There was not enough memory for this picture",
    "Ask for a smaller size, or try again after the number of seconds in Retry-After.",
    "oom",
)
ENGINE_DIED = ProblemType(
    "restarting",
    503,
    "The service is restarting",
    "Nothing is wrong with the request: try again after the number of seconds in Retry-After.",
    "error",
)
DEADLINE_EXCEEDED = ProblemType(
    "deadline-exceeded",
    504,
    "The time ran out before there was a picture",
    "Allow more time with X-Request-Timeout, or ask for a smaller size.",
    "deadline_exceeded",
)

PROBLEMS: Mapping[str, ProblemType] = {
    problem.slug: problem
    for problem in (
        MALFORMED,
        UNAUTHORIZED,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE,
        UPLOAD_STALLED,
        BODY_TOO_LARGE,
        URI_TOO_LONG,
        UNSUPPORTED_MEDIA_TYPE,
        UNSUPPORTED_IMAGE,
        INVALID_REQUEST,
        UNUSABLE_IMAGE,
        QUEUE_FULL,
        KEY_LIMIT,
        HEADERS_TOO_LARGE,
        INTERNAL,
        NOT_READY,
        CANNOT_MEET_DEADLINE,
        OUT_OF_MEMORY,
        ENGINE_DIED,
        DEADLINE_EXCEEDED,
    )
}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its name, and a sentence that says what to change."""

    field: str
    message: str


class Problem(Exception):  # noqa: N818  (the word of RFC 9457)
    """Raised anywhere below a route; answered as problem+json.

    Args:
        kind: a row of the table.
        detail: public. What is wrong here and what to change; the table's sentence unless given.
        errors: one for each field that is wrong.
        retry_after: whole seconds, for the Retry-After header.
        headers: others that belong to the answer.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.detail = clipped(detail or kind.detail, _LONGEST_DETAIL)
        self.errors = tuple(errors[:_MOST_ERRORS])
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        """Headers that belong to the answer, besides its type."""
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        super().__init__(f"{kind.slug}: {self.detail}")

    def body(self, request_id: str) -> dict[str, Any]:
        """The members of the problem+json object."""
        body: dict[str, Any] = {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = [
                {
                    "field": clipped(error.field, _LONGEST_NAME),
                    "message": clipped(error.message, _LONGEST_MESSAGE),
                }
                for error in self.errors
            ]
        return body
