"""Certificates for servers of tests."""

import datetime
import ipaddress
from pathlib import Path

import pytest


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write cert.pem for 127.0.0.1, which signs itself, key.pem, and its like with a password in locked.pem.

    Returns:
        The paths of the first two.
    """
    x509 = pytest.importorskip("cryptography.x509", reason="needs cryptography to make a certificate")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "SegAnyPET tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    plain, locked = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"secret")
    for file, encryption in (("key.pem", plain), ("locked.pem", locked)):
        content = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption)
        (folder / file).write_bytes(content)
    return folder / "cert.pem", folder / "key.pem"
