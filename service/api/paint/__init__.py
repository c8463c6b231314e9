"""The requests that paint: body, deadline, answer."""
