"""The wall between what strangers send and the network: files are decoded in processes that have nothing to lose.

A codec that crashes, loops or eats memory ends its own process, and costs its own request an answer. `pool` is the
side of the service, `child` that of the decoder; `process` is what the one knows of the other.
"""

from service.images.decoders.decoder import Decoder, LocalDecoder
from service.images.decoders.pool import Cause, LentDecoder, Pool, shared_pool

__all__ = ["Cause", "Decoder", "LentDecoder", "LocalDecoder", "Pool", "shared_pool"]
