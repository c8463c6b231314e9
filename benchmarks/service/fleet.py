"""A fleet on paper: latency, refusals and cost of pods behind a Service, scaled by KEDA with the chart's settings.

    python -m benchmarks fleet [--load 10 --load 1000 --load 100000] [--service 0.5] [--shape burst] [--seed 0]

Requests arrive at random (Poisson). In an hour with a burst there are as many a minute as --load says, from the 15th
to the 30th minute twice as many; in a day they follow a sine between a fifth and nine fifths of it. Refused ones do
not come again. Pods have a cold start, a bounded queue with the service's own rules, and are lost now and then.
The autoscaler is that of Kubernetes, with `autoscaling` of helm/stylize/values.yaml and with alternatives to it.
No limit is set to the number of pods: `maxReplicas` is about money.

What a picture takes is given with --service, or drawn from a log of the service (--log): stages.optimise of a line.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml
from numpy.typing import NDArray

from benchmarks.service.simulated.autoscaler import Direction, Policy, Settings
from benchmarks.service.simulated.fleet import Report, Scenario, simulate
from benchmarks.service.simulated.pod import Rules

CHART = Path(__file__).parents[2] / "helm/stylize/values.yaml"

GPU_SECONDS = 0.5
"""Of a picture at 512 px on a GPU: the design's goal. Nobody has measured it."""

CPU_SECONDS = 3.2
"""Of a picture at 256 px and default quality on two CPU cores: measured, p50, docs/develop/measurements.md."""

COLD_START_SECONDS = 180.0
"""From the order of a pod to its readiness: assumed, 100 s for a machine with a GPU, 70 s for the 6 GB of the image,
10 s for the start (6 s were measured on a CPU, docs/run/image.md)."""

SPOT_LOSS = 0.05
"""Of 1, machines that are taken away in an hour: assumed, and more than clouds say of most of theirs."""

HOURS: Mapping[int, int] = {10: 40, 1_000: 4}
"""Of a load, repeats of the hour with other random numbers, so that p99 is of some thousand requests; else 1."""

Shape = Callable[[float, float], float]


def steady(rate: float, at: float) -> float:
    """Requests a second, of `rate`: always the same."""
    return rate


def burst(rate: float, at: float) -> float:
    """Requests a second, of `rate`: twice as many from the 15th to the 30th minute."""
    return rate * (2 if 900 <= at < 1800 else 1)


def day(rate: float, at: float) -> float:
    """Requests a second, of a mean of `rate`: a sine with its least in the beginning."""
    return rate * (1 - 0.8 * math.cos(2 * math.pi * at / 86400))


SHAPES: Mapping[str, tuple[Shape, float]] = {
    "steady": (steady, 3600.0),
    "burst": (burst, 3600.0),
    "day": (day, 86400.0),
}


def alternatives(chart: Settings) -> dict[str, Settings]:
    """The chart's autoscaling, and what else it could be."""
    one_a_minute = Direction(300, (Policy("Pods", 1, 60),))
    return {
        "chart": chart,
        "eager": replace(chart, up=Direction(0, (Policy("Percent", 100, 30), Policy("Pods", 4, 30)))),
        "queue only": replace(chart, in_flight=2, weigh_refused=False),
        "two triggers": replace(chart, in_flight=2, weigh_refused=False, shed_rate=0.05, down=one_a_minute),
    }


def pods_for(rate: float, service: float, utilisation: float = 0.7) -> int:
    """Little's law: pods that are busy for this part of their time."""
    return math.ceil(rate * service / utilisation)


def row(load: int, name: str, report: Report) -> str:
    """One line of the table."""
    hours = report.pod_seconds / 3600
    return (
        f"{load:7,d}  {name:12s} {np.mean(report.pods):7.1f} {max(report.pods):6d} "
        f"{report.busy_seconds / report.pod_seconds:6.0%} "
        f"{report.percentile(0.5):7.2f} {report.percentile(0.99):7.2f} "
        f"{report.refused_share:8.2%} {report.lost / report.arrived:8.3%} {hours / report.served * 1000:8.3f}"
    )


def measured(log: Path) -> NDArray[np.float64]:
    """Seconds of each picture in a log of the service.

    Raises:
        click.UsageError: there is none.
    """
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    seconds = [line["stages"]["optimise"] for line in lines if "optimise" in line.get("stages", {})]
    if not seconds:
        raise click.UsageError(
            f"{log} has no line with stages.optimise: give the log of a service that has painted."
        )
    return np.array(seconds)


@click.command(help=__doc__)
@click.option("--load", "loads", type=int, multiple=True, default=(10, 1_000, 100_000), show_default=True)
@click.option("--shape", type=click.Choice(list(SHAPES)), default="burst", show_default=True)
@click.option("--setting", "only", multiple=True, help="of these settings alone")
@click.option(
    "--service", default=GPU_SECONDS, show_default=True, help=f"seconds of a picture; CPU: {CPU_SECONDS}"
)
@click.option("--spread", default=0.1, show_default=True, help="of them, standard deviation by mean")
@click.option(
    "--log", type=click.Path(path_type=Path, exists=True), help="measured seconds, in place of --service"
)
@click.option("--queue-size", default=4, show_default=True, help="STYLIZE_QUEUE_SIZE")
@click.option("--deadline", default=120.0, show_default=True, help="STYLIZE_DEADLINE")
@click.option("--least", type=int, help="minReplicas, in place of the chart's")
@click.option("--cold-start", default=COLD_START_SECONDS, show_default=True)
@click.option("--spot-loss", default=SPOT_LOSS, show_default=True, help="of 1, machines lost in an hour")
@click.option("--balance", type=click.Choice(["random", "two"]), default="random", show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(loads: tuple[int, ...], shape: str, only: tuple[str, ...], **options: Any) -> None:
    log = options["log"]
    service = measured(log) if log else np.array([options["service"]])
    chart = Settings.of(yaml.safe_load(CHART.read_text())["autoscaling"])
    chart = replace(chart, least=options["least"] or chart.least, most=1_000_000)
    curve, seconds = SHAPES[shape]
    print("   load  settings        pods   most   busy  p50, s  p99, s  refused     lost  GPU-h/1,000")
    for load in loads:
        rate = load / 60
        for name, settings in alternatives(chart).items():
            if only and name not in only:
                continue
            scenario = Scenario(
                rate=partial(curve, rate),
                seconds=seconds,
                service=service,
                spread=options["spread"],
                settings=settings,
                pods=max(settings.least, pods_for(curve(rate, 0), float(service.mean()))),
                rules=Rules(1 + options["queue_size"], options["deadline"]),
                cold_start=options["cold_start"],
                spot_loss=options["spot_loss"],
                balance=options["balance"],
            )
            report = Report()
            for repeat in range(1 if shape == "day" else HOURS.get(load, 1)):
                report.add(simulate(scenario, options["seed"] + repeat))
            print(row(load, name, report), flush=True)


if __name__ == "__main__":
    main()
