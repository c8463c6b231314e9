"""What goes wrong with weights, told in one sentence."""


class WeightsError(Exception):
    """The weights cannot be fetched, read or used; the message is one sentence for whoever runs it."""
