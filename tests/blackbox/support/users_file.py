"""The file of local users, written as an operator's own tools would: with libcrypt's hashes."""

import ctypes
import os

PREFIX = b"$y$"  # yescrypt

CHEAP, DEAR = 1, 8  # of crypt_gensalt(3): what hashing costs

_libcrypt = ctypes.CDLL("libcrypt.so.1")
_libcrypt.crypt_gensalt.restype = ctypes.c_char_p
_libcrypt.crypt_gensalt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]
_libcrypt.crypt.restype = ctypes.c_char_p
_libcrypt.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]


def hash_password(password, cost=CHEAP):
    salt = _libcrypt.crypt_gensalt(PREFIX, cost, None, 0)
    return _libcrypt.crypt(password.encode("utf-8"), salt).decode("ascii")


class UsersFile:
    """`NAME:HASH:TEAM,TEAM`, one a line. What it is given is noted as a secret: hashes too."""

    def __init__(self, path, used_secrets):
        self.path = path
        self.used_secrets = used_secrets
        self.lines = {}
        self._write()

    def set(self, name, password, *teams, cost=CHEAP):
        """Adds the user, or changes all about them."""
        hashed = self.used_secrets.add(hash_password(password, cost), name)
        self.used_secrets.add(password, name)
        self.lines[name] = f"{name}:{hashed}:{','.join(teams)}"
        self._write()

    def remove(self, name):
        del self.lines[name]
        self._write()

    def break_it(self):
        """As an unlucky editor does."""
        self._publish("this is : not a line\nof users\n")

    def mend(self):
        self._write()

    @property
    def settings(self):
        return {"auth": {"users_file": str(self.path)}}

    def _write(self):
        self._publish("# written by a test\n\n" + "".join(
            f"{line}\n" for line in self.lines.values()))

    def _publish(self, text):
        new = self.path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o600)
        os.replace(new, self.path)
