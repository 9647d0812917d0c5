"""pieroned over PostgreSQL: one instance, or several that are one registry."""

import contextlib

from support import servers
from support.postgres import Postgres, let_pass


class Several:
    """Processes that are watched as one."""

    def __init__(self, processes):
        self.processes = processes

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self.processes)

    def forget_peak(self):
        for process in self.processes:
            process.forget_peak()

    def peak_mb(self):
        return sum(process.peak_mb() for process in self.processes)


class Instance(servers.Pieroned):
    """One of them. Its layers are in a folder of its own, since a folder has one process."""

    def __init__(self, folder, database):
        super().__init__(folder)
        self.database = database

    def command(self):
        command = super().command()
        self.environment["PIERONE_DATABASE_URL"] = self.database.url()
        return command


class Instances:
    """As rows use a server. `process` is all of them and PostgreSQL together."""

    def __init__(self, folder, count):
        folder.mkdir(exist_ok=True)
        let_pass(folder)
        self.database = Postgres(folder / "postgres")
        self.instances = [Instance(folder / f"instance-{number}", self.database)
                          for number in range(count)]
        self.process = None
        self.stack = contextlib.ExitStack()

    @property
    def port(self):
        """Of one of them."""
        return self.instances[0].port

    def url(self, path):
        return self.instances[0].url(path)

    def load_options(self):
        """The generator's clients are divided among the instances, and each stays with its own."""
        return {"port": [instance.port for instance in self.instances], "tls": 0}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.database.start()
            stack.callback(self.database.stop)
            for instance in self.instances:
                stack.enter_context(instance)
            self.stack = stack.pop_all()
        self.process = Several([self.database.process,
                                *(instance.process for instance in self.instances)])
        return self

    def __exit__(self, *_):
        self.stack.close()
