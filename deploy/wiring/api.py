"""The API's leg."""

from fastapi import FastAPI

from deploy.settings import ApiSettings
from deploy.wiring.base import Base
from deploy.wiring.data import read_forms, read_register, read_releases
from mmd.api.app import create_app
from mmd.api.services import Services
from mmd.api.tokens import Verifier
from mmd.store.feed import Feed
from mmd.store.reader import Reader


def application(base: Base, settings: ApiSettings) -> FastAPI:
    releases = read_releases(settings.releases)
    return create_app(
        Services(
            pool=base.pool,
            keys=base.keys,
            reader=Reader(base.pool, base.keys, settings.secret("person.secret"), settings.secret("digest.secret")),
            feed=Feed(base.pool, base.keys, settings.secret("digest.secret")),
            register=read_register(settings.sources),
            releases=releases.by_id,
            clients=releases.clients,
            forms=read_forms(settings.forms),
            verifier=Verifier(settings.jwks, settings.issuer, settings.audience),
            subject_secret=settings.secret("subject.secret"),
            clock=base.clock,
            meter=base.meter,
        )
    )
