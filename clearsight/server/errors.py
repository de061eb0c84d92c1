"""What goes wrong, in the one shape that every route answers with (OpenAI's): {"error": {message, type, param, code}}.

Messages are sentences of this project, with what to do. Texts of libraries, addresses and paths of the machine never
get here: whoever catches a library's error says in own words what it means.
"""

from collections.abc import Mapping
from typing import Any

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
"""What the `type` is where nothing else is said; from 500 on it is server_error."""


class ApiError(Exception):
    """An answer that is an error. `param` names the field that is meant, `code` is for programs.

    The official client tries again on 408, 409, 429 and from 500 on; a permanent error is none of these, or says
    `retry=False`, which becomes the header x-should-retry.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        type: str | None = None,
        headers: Mapping[str, str] | None = None,
        retry: bool | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.type = type or TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        self.headers = dict(headers or {})
        if retry is not None:
            self.headers["x-should-retry"] = "true" if retry else "false"

    def to_json(self) -> dict[str, Any]:
        """The body of the answer, and of an event in the middle of a stream."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def not_found(what: str) -> ApiError:
    """For an id that is unknown, and in the same words for somebody else's."""
    return ApiError(404, f"There is no such {what}.", code="not_found")


def unforeseen(request_id: str) -> ApiError:
    """For what should not have happened; the log has the rest under this id."""
    return ApiError(500, f"Something failed here; it was noted as {request_id}.", retry=False)
