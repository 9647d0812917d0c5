"""Certificates for localhost, made by openssl."""

import hashlib
import ssl
import subprocess

from .waiting import PATIENCE_S

NEW_KEYS = {
    "ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "rsa": ("-newkey", "rsa:2048"),
}


class Certificate:
    """certificate.pem and key.pem in a folder; renew() writes other ones to the same paths."""

    def __init__(self, folder, names=("localhost",), key="ec"):
        self.names = names
        self.new_key = NEW_KEYS[key]
        self.path = folder / "certificate.pem"
        self.key_path = folder / "key.pem"
        self.renew()

    def renew(self):
        names = ",".join(f"DNS:{name}" for name in self.names)
        subprocess.run(
            ["openssl", "req", "-x509", *self.new_key, "-nodes", "-days", "1", "-subj", "/CN=localhost",
             "-addext", f"subjectAltName={names},IP:127.0.0.1",
             "-keyout", self.key_path, "-out", self.path],
            check=True, capture_output=True, stdin=subprocess.DEVNULL)

    @property
    def settings(self):
        return {"certificate": str(self.path), "key": str(self.key_path)}

    @property
    def fingerprint(self):
        der = ssl.PEM_cert_to_DER_cert(self.path.read_text(encoding="ascii"))
        return hashlib.sha256(der).hexdigest()

    def s_client(self, server, *options):
        """What openssl's own client says of a connection over which it asks once."""
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", self.path,
             *options], input=b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            capture_output=True, check=False, timeout=PATIENCE_S).stdout.decode("utf-8", "replace")

    def connect(self, server, **options):
        """A TLS connection that trusts this certificate as it is now, and no other."""
        context = ssl.create_default_context(cafile=str(self.path))
        for name, value in options.items():
            setattr(context, name, value)
        return context.wrap_socket(server.connect(), server_hostname="localhost")


def fingerprint_of(connection):
    return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()
