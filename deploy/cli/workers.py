"""One process each: `kallan ingest`, `relay`, `evaluate`, `execute`, `api`. SIGTERM and Ctrl-C stop them cleanly."""

import signal
import threading
from types import FrameType

import click

from deploy.cli import configure_logging
from deploy.settings import (
    ApiSettings,
    ExecuteSettings,
    KafkaSettings,
    MasterSettings,
    ProvisioningSettings,
    load_settings,
)
from deploy.wiring.base import Base
from deploy.wiring.groups import GROUPS
from streams.bus import Handler
from streams.consume import Runner

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


def _consume(base: Base, settings: KafkaSettings, handler: Handler) -> None:
    from streams.faust_worker import run_faust_worker

    runner = Runner(handler, base.dead_letters, base.ticker, group=base.name)
    try:
        run_faust_worker(base.name, settings.broker, GROUPS[base.name], runner, data_dir=settings.work_dir / base.name)
    finally:
        base.close()


@click.command()
@LANE
def ingest(lane: str) -> None:
    """Source records into the master."""
    from deploy.wiring.master import ingest_handler

    settings = load_settings(MasterSettings)
    configure_logging(settings.log_level)
    base = Base(settings, f"ingest-{lane}")
    _consume(base, settings, ingest_handler(base, settings))


@click.command()
def relay() -> None:
    """Changed documents out of the master."""
    from deploy.wiring import master
    from streams.kafka import KafkaProducer

    settings = load_settings(MasterSettings)
    configure_logging(settings.log_level)
    base = Base(settings, "relay")
    stop = _stop_event()
    try:
        master.relay(base, settings, KafkaProducer(settings.broker, client_id="relay")).run(stop)
    finally:
        base.close()


@click.command()
@LANE
def evaluate(lane: str) -> None:
    """Documents into desired accounts and rights. The bulk process also runs the timers."""
    from deploy.wiring import provisioning

    settings = load_settings(ProvisioningSettings)
    configure_logging(settings.log_level)
    base = Base(settings, f"evaluate-{lane}")
    handler = provisioning.evaluate_handler(base, settings)
    stop = threading.Event()
    timers = threading.Thread(target=provisioning.timers(base, settings).run, args=(stop,), name="timers")
    if lane == "bulk":
        timers.start()
    try:
        _consume(base, settings, handler)
    finally:
        stop.set()
        if lane == "bulk":
            timers.join()


@click.command()
def execute() -> None:
    """Desired state into the target systems, and account facts back to the master."""
    from deploy.wiring import provisioning
    from streams.kafka import KafkaProducer

    settings = load_settings(ExecuteSettings)
    configure_logging(settings.log_level)
    targets = provisioning.targets(settings)
    base = Base(settings, "execute", pool_size=4 + settings.execute_threads * max(len(targets), 1))
    stop = _stop_event()
    facts = provisioning.account_relay(base, KafkaProducer(settings.broker, client_id="iam-relay"))
    relaying = threading.Thread(target=facts.run, args=(stop,), name="account-relay")
    relaying.start()
    try:
        provisioning.executor(base, settings, targets).run(stop)
    finally:
        stop.set()
        relaying.join()
        base.close()


@click.command()
def api() -> None:
    """The read API."""
    import uvicorn

    from deploy.wiring.api import application

    settings = load_settings(ApiSettings)
    configure_logging(settings.log_level)
    base = Base(settings, "api", pool_size=8)
    try:
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
