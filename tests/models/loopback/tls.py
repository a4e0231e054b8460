"""A certificate of a test's own, from the system's openssl, for this machine and a name in the cloud."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

CLOUD = "api.cloud.test"


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Who signed it, as a file to trust, and the server's side."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, file = folder / "key.pem", folder / "cert.pem"
    names = f"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:{CLOUD}"
    form = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    files = ["-keyout", str(key), "-out", str(file)]
    subprocess.run([openssl, *form, "-addext", names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
