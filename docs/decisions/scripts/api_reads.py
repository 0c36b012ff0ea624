"""How fast is `GET /v1/persons/{id}` beside a bare FastAPI route with one select? Evidence of decision 0090.

    KALLAN_TEST_DATABASE_URL=postgresql://... python docs/decisions/scripts/api_reads.py

Both run under uvicorn in a process of their own over the same PostgreSQL, and are asked in turn over kept-alive
connections. The hub's route checks a token, reads and opens the person, discloses it and writes the read log.
"""

import asyncio
import datetime as dt
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import uvicorn
from fastapi import FastAPI, Response

from deploy.embedded.issuer import AUDIENCE, ISSUER, issue, jwks
from deploy.settings import CONFIG
from deploy.wiring.data import read_register, read_releases
from mmd.api.app import create_app
from mmd.api.metrics import Metrics
from mmd.api.services import Services
from mmd.api.tokens import Verifier
from mmd.ingest.handler import IngestHandler
from mmd.store.feed import Feed
from mmd.store.reader import Reader
from streams.clock import SystemClock
from streams.clock_row import DatabaseClock
from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import Birth, Claim, Employment, Name, Protection, Segment, SourceRecord
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.testnumbers import test_number
from streams.database import open_pool
from streams.hashing import person_id_of, subject_of
from streams.keys import PostgresKeyRing
from streams.migrate import migrate

PERSONS, CONNECTIONS, SECONDS, ROUNDS = 200, 8, 3.0, 5
SECRET = b"x" * 32
START = dt.date(2020, 1, 1)


def load(url: str) -> list[str]:
    pool = open_pool(url)
    keys = PostgresKeyRing(pool, SECRET)
    codec = RecordCodec(keys)
    register = read_register(CONFIG / "sources.yml")
    ingest = IngestHandler(pool, codec, keys, register, SECRET, SECRET, SystemClock())
    ids = []
    for n in range(PERSONS):
        number = Identifier(IdentifierType.PERSONNUMMER, test_number(dt.date(1980, 2, 1) + dt.timedelta(n), "female"))
        subject = subject_of(SECRET, number)
        ids.append(person_id_of(SECRET, subject))
        claims = (Claim(Protection()), Claim(Name("Anna", "", "Ek", "Anna"), START), Claim(Birth("1980-02-01")))
        employment = Employment("kommun", f"E{n}", (Segment(START, None, "unit:kommun:1", "Lärare"),))
        for source, topic, key, said in (
            ("navet", "source.person.v1", subject, claims),
            ("hr", "source.employment.v1", f"E{n}", (Claim(employment),)),
        ):
            record = SourceRecord(source, key, "1", subject, said, number)
            ingest(codec.encode([Outgoing(topic, record, str(uuid.uuid4()), SystemClock().now())]))
    with pool.connection() as connection:
        connection.execute(
            "create table public.bare as select id, convert_to(repeat('x', 900), 'UTF8') as body from mmd.document"
        )
        connection.execute("alter table public.bare add primary key (id)")
    pool.close()
    return ids


def hub(url: str, home: Path) -> FastAPI:
    pool, keys_pool = open_pool(url, size=8), open_pool(url, size=2)
    keys = PostgresKeyRing(keys_pool, SECRET)
    releases = read_releases(CONFIG / "releases.yml")
    return create_app(
        Services(
            pool=pool,
            keys=keys,
            reader=Reader(pool, keys, SECRET, SECRET),
            feed=Feed(pool, keys, SECRET),
            register=read_register(CONFIG / "sources.yml"),
            releases=releases.by_id,
            clients=releases.clients,
            forms={},
            verifier=Verifier(jwks(home), ISSUER, AUDIENCE),
            subject_secret=SECRET,
            clock=DatabaseClock(keys_pool),
            metrics=Metrics(),
        )
    )


def bare(url: str, _: Path) -> FastAPI:
    pool = open_pool(url, size=8)
    app = FastAPI()

    @app.get("/v1/persons/{person}")
    def read(person: uuid.UUID) -> Response:
        with pool.connection() as connection:
            row = connection.execute("select body from public.bare where id = %s", [str(person)]).fetchone()
        return Response(row[0] if row else b"", media_type="application/json")

    return app


def serve(make: Callable[[str, Path], FastAPI], url: str, home: Path, listening: socket.socket) -> None:
    config = uvicorn.Config(make(url, home), log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


async def ask(port: int, ids: list[str], token: str) -> float:
    """Answers a second over all connections."""
    done = 0
    end = time.perf_counter() + SECONDS

    async def one(offset: int) -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        place = offset
        while time.perf_counter() < end:
            head = (
                f"GET /v1/persons/{ids[place % len(ids)]} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
            )
            writer.write(head.encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 200 " not in answer[:20]:
                raise RuntimeError(answer[:40].decode())
            await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            done += 1
            place += 7
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one(n) for n in range(CONNECTIONS)))
    return done / (time.perf_counter() - started)


def measured(url: str, home: Path) -> dict[str, float]:
    ids, token = load(url), issue(home, "intranet")
    ports, running = {}, []
    for make in (hub, bare):
        listening = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # so that asyncio does not delay
        listening.bind(("127.0.0.1", 0))
        ports[make.__name__] = listening.getsockname()[1]
        running.append(multiprocessing.Process(target=serve, args=(make, url, home, listening)))
        running[-1].start()
    try:
        time.sleep(3)
        rates: dict[str, list[float]] = {name: [] for name in ports}
        for _ in range(ROUNDS):
            for name, port in ports.items():
                rates[name].append(asyncio.run(ask(port, ids, token)))
    finally:
        for process in running:
            process.terminate()
            process.join()
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> None:
    server = os.environ["KALLAN_TEST_DATABASE_URL"]
    name = f"bench_{uuid.uuid4().hex[:8]}"
    url = f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
        try:
            migrate(url, ("streams", "mmd"))
            with tempfile.TemporaryDirectory() as home:
                rates = measured(url, Path(home))
        finally:
            admin.execute(f'drop database "{name}" with (force)'.encode())
    print(f"hub {rates['hub']:.0f}/s, bare {rates['bare']:.0f}/s, ratio {rates['hub'] / rates['bare']:.2f}")


if __name__ == "__main__":
    main()
