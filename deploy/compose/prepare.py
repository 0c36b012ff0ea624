"""The administrator's step before the workers start: logins and rights, schemas, topics. Safe to run at any time."""

from urllib.parse import urlsplit

import psycopg
from confluent_kafka.admin import AdminClient

from deploy.compose import database_rights, kafka_rights
from deploy.compose.consumers import database_password, kafka_password
from deploy.settings import PrepareSettings
from deploy.wiring.base import migrate_all
from streams.kafka_client import settings as client_settings
from streams.kafka_topics import create_topics


def prepare(settings: PrepareSettings) -> list[str]:
    """What was done, in words. The passwords are the secret files `kafka-LOGIN.password` and `database-LOGIN.password`."""
    name = urlsplit(settings.database_url).path.strip("/")
    logins = {login: settings.text_secret(database_password(login)) for login in database_rights.SCHEMAS}
    owner = {database_rights.OWNER: settings.text_secret("database.password")}
    with psycopg.connect(settings.admin_url, autocommit=True) as admin:
        database_rights.make_logins(admin, owner | logins, name)
    migrate_all(settings)
    with psycopg.connect(settings.store_url) as connection:
        database_rights.grant(connection, name)
    create_topics(settings.broker, partitions=settings.partitions)
    kafka = AdminClient(client_settings(settings.broker))
    passwords = {login: settings.text_secret(kafka_password(login)) for login in kafka_rights.logins()}
    kafka_rights.apply_logins(kafka, passwords)
    rights = kafka_rights.rights()
    added, removed = kafka_rights.apply_rights(kafka, rights)
    return [
        f"PostgreSQL: schemas migrated, {len(logins)} logins with rights in their own schemas",
        f"Kafka: topics as the catalogue says, {len(passwords)} logins, {len(rights)} rights"
        f" ({added} added, {removed} taken away)",
    ]
