"""Certificates for localhost, made by openssl."""

import hashlib
import ssl
import subprocess


class Certificate:
    """certificate.pem and key.pem in a folder; renew() writes other ones to the same paths."""

    def __init__(self, folder, names=("localhost",)):
        self.names = names
        self.path = folder / "certificate.pem"
        self.key_path = folder / "key.pem"
        self.renew()

    def renew(self):
        names = ",".join(f"DNS:{name}" for name in self.names)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", "/CN=localhost",
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

    def connect(self, server, **options):
        """A TLS connection that trusts this certificate as it is now, and no other."""
        context = ssl.create_default_context(cafile=str(self.path))
        for name, value in options.items():
            setattr(context, name, value)
        return context.wrap_socket(server.connect(), server_hostname="localhost")


def fingerprint_of(connection):
    return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()
