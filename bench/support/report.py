"""The table a person can paste, and what became of the goals."""

import statistics


class Results:
    """Samples by row and server, in the order in which they are added."""

    def __init__(self, rows):
        self.rows = rows
        self.samples = {}

    def add(self, row, server, sample):
        self.samples.setdefault((row.name, server), []).append(sample)

    def servers_of(self, row):
        return [name for name in row.servers if (row.name, name) in self.samples]

    def median(self, row, server, field="value"):
        values = [getattr(sample, field) for sample in self.samples.get((row.name, server), [])]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def spread(self, row, server):
        """Half the distance of the extremes, relative to the median."""
        values = [sample.value for sample in self.samples[row.name, server]]
        middle = statistics.median(values)
        return (max(values) - min(values)) / 2 / middle * 100 if middle else 0.0

    def failed(self, row, server):
        return sum(sample.failed for sample in self.samples[row.name, server])


def table(results):
    lines = ["| what | server | median | unit | ± % | CPU | memory MB | p50 ms | p99 ms | ratio | failed |",
             "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in results.rows:
        title = row.title
        for server in results.servers_of(row):
            lines.append("| " + " | ".join((title, server, *_cells(results, row, server))) + " |")
            title = ""
    return "\n".join(lines)


def goals_table(results):
    lines = ["| what | goal | reached | |", "| --- | --- | ---: | --- |"]
    for row in results.rows:
        for goal in row.goals:
            reached = _reached(results, row, goal)
            if reached is not None:
                is_met = reached >= goal.factor if goal.is_more_better else reached <= goal.factor
                lines.append(f"| {row.title} | {goal.text} | {figure(reached)} |"
                             f" {'yes' if is_met else '**no**'} |")
    return "\n".join(lines)


def figure(value):
    """Three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _cells(results, row, server):
    cpu = results.median(row, server, "cpu")
    return (
        figure(results.median(row, server)), row.unit, f"{results.spread(row, server):.0f}",
        f"{figure(cpu)} {row.cpu_unit}" if cpu is not None else "",
        figure(results.median(row, server, "memory_mb")),
        _milliseconds(results.median(row, server, "p50_us")),
        _milliseconds(results.median(row, server, "p99_us")),
        _ratio(results, row, server), str(results.failed(row, server)))


def _ratio(results, row, server):
    """What the row is about (pieroned, mostly) divided by this server's figure."""
    mine_name = row.goals[0].mine if row.goals else "pieroned"
    mine, theirs = results.median(row, mine_name), results.median(row, server)
    if server == mine_name or not mine or not theirs:
        return ""
    return f"{figure(mine / theirs)}×"


def _milliseconds(microseconds):
    return "" if microseconds is None else figure(microseconds / 1000)


def _reached(results, row, goal):
    mine = results.median(row, goal.mine, goal.of)
    if mine is None or not goal.against:
        return mine
    others = [results.median(row, name, goal.of) for name in goal.against]
    others = [other for other in others if other]
    if not others:
        return None
    return mine / (max(others) if goal.is_more_better else min(others))
