"""Several pieroned that are one registry: one database, one bucket, one secret, one balancer."""

import contextlib
import secrets

from .nginx import LoadBalancer
from .server import Server


class Cluster:
    """As one server looks to tests that come by its `port`; `instances` are the servers behind."""

    def __init__(self, instances):
        self.instances = instances
        self.balancer = LoadBalancer(instances)

    @property
    def port(self):
        return self.balancer.port

    @property
    def host(self):
        return self.balancer.host

    def connect(self):
        return self.balancer.connect()

    def start_again(self, instance):
        """A new port, which the balancer is told of."""
        instance.start()
        self.balancer.use(self.instances)

    def release(self):
        self.balancer.release()


def shared_settings(folder, used_secrets, database_url, bucket, endpoint):
    """What all instances have in common; the folder keeps their secret."""
    secret = folder / "secret"
    secret.write_text(used_secrets.add(secrets.token_hex(32)) + "\n", encoding="ascii")
    secret.chmod(0o600)
    return {
        "database": {"url": database_url},
        "trusted_proxies": "127.0.0.1",
        **bucket.settings(endpoint, redirect=False),
    }, secret
