"""The certificate of all servers that are measured over TLS."""

import subprocess


class Certificate:
    """Of an ECDSA key on P-256, as most have it today."""

    def __init__(self, folder):
        self.path = folder / "certificate.pem"
        self.key_path = folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", self.key_path, "-out", self.path],
            check=True, capture_output=True, stdin=subprocess.DEVNULL)
