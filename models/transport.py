"""A transport to one server: a Unix socket, plain HTTP nearby, or TLS with the environment's proxies."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache, partial

import httpx

from models import errors
from models.connection import Connection
from models.spec import BackendSpec

Transport = httpx.AsyncBaseTransport

KEEP_SECONDS = 4.0  # Less than the 5 s after which uvicorn and llama-server close an idle connection.


def transport_to(spec: BackendSpec) -> Transport:
    """A transport for one request at a time."""
    url = httpx.URL(spec.url)
    if spec.socket:
        return Connection(partial(asyncio.open_unix_connection, spec.socket), KEEP_SECONDS)
    if url.scheme == "http":
        return Connection(partial(asyncio.open_connection, url.host, url.port or 80), KEEP_SECONDS)
    if url.scheme != "https":
        raise httpx.UnsupportedProtocol(spec.url)
    proxy = None if spec.is_local else _proxy(url)
    try:
        return httpx.AsyncHTTPTransport(
            verify=_tls(), proxy=proxy, limits=httpx.Limits(keepalive_expiry=KEEP_SECONDS)
        )
    except (ImportError, ValueError, httpx.InvalidURL) as exc:
        raise errors.Unreachable("The proxy that the environment names is not one of http or https.") from exc


def _proxy(url: httpx.URL) -> str | None:
    """The proxy for an https address, from HTTPS_PROXY, ALL_PROXY, NO_PROXY or the system's settings."""
    from urllib.request import getproxies, proxy_bypass  # httpx has loaded it already.

    proxies = getproxies()
    address = proxies.get("https") or proxies.get("all")
    if not address or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return address if "://" in address else f"http://{address}"


@cache
def _tls() -> ssl.SSLContext:
    """The system's certificates, or those of SSL_CERT_FILE and SSL_CERT_DIR; httpx's where there are none."""
    context = ssl.create_default_context()  # Takes 20 ms.
    paths = ssl.get_default_verify_paths()
    return context if context.cert_store_stats()["x509_ca"] or paths.capath else httpx.create_ssl_context()


def is_tls(exc: Exception) -> bool:
    """Whether it is the certificate that has failed."""
    it: BaseException | None = exc
    while it is not None:
        if isinstance(it, ssl.SSLCertVerificationError):
            return True
        it = it.__cause__ or it.__context__
    return False
