"""Which methods there are: the answer to OPTIONS (RFC 9110, section 9.3.7)."""

from flask import Flask, Response


class Application(Flask):
    """Flask, whose answer to OPTIONS is not an empty page of HTML."""

    def make_default_options_response(self) -> Response:
        """The methods of this address, in alphabetical order, and nothing else."""
        response = super().make_default_options_response()
        response.status_code = 204
        response.headers["Allow"] = ", ".join(sorted(response.allow))
        del response.headers["Content-Type"]
        return response
