"""One process each: `kallan ingest`, `relay`, `evaluate`, `execute`, `api`. SIGTERM and Ctrl-C stop them cleanly."""

import signal
import threading
from contextlib import closing
from types import FrameType

import click

from deploy.cli.beside import beside
from deploy.operations import looks
from deploy.operations.collector import collect_seldom
from deploy.operations.watch import Part
from deploy.operations.working import begin, working
from deploy.settings import ApiSettings, ExecuteSettings, KafkaSettings, MasterSettings, ProvisioningSettings
from deploy.wiring.base import Base
from deploy.wiring.groups import GROUPS
from streams.bus import Handler
from streams.consume import Runner
from streams.progress import Progress

MASTER, PROVISIONING = ("streams", "mmd"), ("streams", "iam")
"""The schemas that a process of each leg works in."""

LANE = click.option(
    "--lane", type=click.Choice(["urgent", "bulk"]), required=True, help="Which topics: each has its own process"
)


def _stop_event() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def _consume(base: Base, settings: KafkaSettings, handler: Handler, *others: Part) -> None:
    from streams.faust_worker import run_faust_worker

    collect_seldom()
    brake, progress = base.brake(settings.dead_letter_brake), Progress()
    runner = Runner(
        handler, base.dead_letters, base.ticker, group=base.name, brake=brake, progress=progress, meter=base.meter
    )
    topics = GROUPS[base.name]
    with closing(looks.Messages(settings.broker, topics, brake, base.dead_letters, base.meter)) as messages:
        parts = (Part("messages", progress, messages), *others)
        with working(base, settings, parts, held=messages.held):
            run_faust_worker(base.name, settings.broker, topics, runner, data_dir=settings.work_dir / base.name)


@click.command()
@LANE
def ingest(lane: str) -> None:
    """Source records into the master."""
    from deploy.wiring.master import ingest_handler

    name = f"ingest-{lane}"
    settings = begin(MasterSettings, name, *MASTER)
    with closing(Base(settings, name, schemas=MASTER)) as base:
        _consume(base, settings, ingest_handler(base, settings))


@click.command()
def relay() -> None:
    """Changed documents out of the master."""
    from deploy.wiring import master
    from streams.kafka import KafkaProducer

    settings = begin(MasterSettings, "relay", *MASTER)
    base = Base(settings, "relay", schemas=MASTER)
    stop = _stop_event()
    try:
        relaying = master.relay(base, settings, KafkaProducer(settings.broker, client_id="relay"))
        with working(base, settings, [Part("documents", relaying.progress, looks.documents(base))]):
            relaying.run(stop)
    finally:
        base.close()


@click.command()
@LANE
def evaluate(lane: str) -> None:
    """Documents into desired accounts and rights. The bulk process also runs the timers."""
    from deploy.wiring import provisioning

    name = f"evaluate-{lane}"
    settings = begin(ProvisioningSettings, name, *PROVISIONING)
    with closing(Base(settings, name, schemas=PROVISIONING)) as base:
        handler = provisioning.evaluate_handler(base, settings)
        if lane == "urgent":
            _consume(base, settings, handler)
            return
        timers = provisioning.timers(base, settings)
        with beside("timers", timers.run):
            _consume(base, settings, handler, Part("timers", timers.progress, looks.persons(base)))


@click.command()
def execute() -> None:
    """Desired state into the target systems, and account facts back to the master."""
    from deploy.operations.hold import RestoreHold
    from deploy.wiring import provisioning
    from streams.kafka import KafkaProducer

    settings = begin(ExecuteSettings, "execute", *PROVISIONING)
    targets = provisioning.targets(settings)
    size = 4 + settings.execute_threads * max(len(targets), 1)
    base = Base(settings, "execute", pool_size=size, schemas=PROVISIONING)
    stop = _stop_event()
    facts = provisioning.account_relay(base, KafkaProducer(settings.broker, client_id="iam-relay"))
    executor = provisioning.executor(base, settings, targets)
    parts = [
        *(Part(name, progress, looks.operations(base, name)) for name, progress in executor.progress.items()),
        Part("account-facts", facts.progress, looks.account_facts(base)),
    ]
    hold = RestoreHold(base)
    try:
        with beside("account-relay", facts.run), working(base, settings, parts, held=hold.told):
            hold.wait(stop)
            executor.run(stop)
    finally:
        base.close()


@click.command()
def api() -> None:
    """The read API."""
    import uvicorn

    from deploy.wiring.api import application

    settings = begin(ApiSettings, "api", *MASTER)
    base = Base(settings, "api", pool_size=8, schemas=MASTER)
    scheme = "https" if settings.api_certificate else "http"
    served = f"{scheme}://{settings.api_host}:{settings.api_port}"
    try:
        with working(base, settings, [Part("store", Progress(), looks.store(base))], served=served):
            uvicorn.run(
                application(base, settings),
                host=settings.api_host,
                port=settings.api_port,
                ssl_certfile=settings.api_certificate,
                ssl_keyfile=settings.api_key,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
    finally:
        base.close()
