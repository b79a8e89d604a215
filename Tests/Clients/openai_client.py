"""The unmodified openai client on a daemon's socket."""

import httpx2
import openai


def openai_client(daemon):
    """Closed by `with`, or by its `close`."""
    return openai.OpenAI(
        base_url="http://localhost/v1", api_key="any", max_retries=0,
        http_client=httpx2.Client(transport=httpx2.HTTPTransport(uds=daemon.socket), timeout=120))
