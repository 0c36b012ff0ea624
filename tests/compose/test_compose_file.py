"""docker-compose.yml: what an architect expects of every container, and that it agrees with the code."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy import settings
from deploy.compose.consumers import CONSUMERS, database_password, kafka_password
from deploy.compose.database_rights import SCHEMAS
from deploy.compose.kafka_rights import ADMIN, logins
from deploy.compose.local.images import IMAGES
from deploy.wiring.groups import WORKERS
from tests.compose.conftest import ROOT, Services

SERVICES = tuple(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
LONG_RUNNING = (*WORKERS, "relay", "execute", "api", "kafka", "postgres", "openldap", "scim")
OURS = (*WORKERS, "relay", "execute", "api")
_PINNED = re.compile(r"(?:\$\{[A-Z_]+:-)?[a-z/-]+:[0-9][\w.-]*\}?")


def _environment(service: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = service.get("environment", {})
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_held_in(services: Services, name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert "pids_limit" in service
    assert "privileged" not in service


def test_only_the_step_that_hands_out_secrets_is_root_and_it_reaches_no_network(services: Services) -> None:
    root = {name for name, service in services.items() if service["user"].split(":")[0] in {"0", "root"}}
    assert root == {"secrets"}
    assert services["secrets"]["network_mode"] == "none"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_on_is_restarted_and_tells_its_health(services: Services, name: str) -> None:
    assert services[name]["restart"] == "unless-stopped"
    assert services[name]["healthcheck"]["test"][0] == "CMD"


def test_everything_else_runs_once(services: Services) -> None:
    once = {name for name in services if services[name]["restart"] in {"no", "on-failure:3"}}
    assert once == set(SERVICES) - set(LONG_RUNNING)


@pytest.mark.parametrize("name", OURS)
def test_a_worker_starts_when_the_administrators_step_is_done(services: Services, name: str) -> None:
    assert services[name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_all_of_ours_are_one(services: Services, name: str) -> None:
    image = services[name]["image"]
    assert _PINNED.fullmatch(image)
    if name not in {"kafka", "postgres", "openldap", "scim"}:
        assert image == services["relay"]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_written_in_the_file(services: Services, name: str) -> None:
    for variable, value in _environment(services[name]).items():
        assert urlsplit(str(value)).password is None
        if re.search("PASSWORD|TOKEN|SECRET|KEY", variable):
            assert re.fullmatch(r"|/run/secrets(/api\.key)?|[a-z]+\.password|postgresql://streams@.*", str(value)), (
                variable
            )


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_of_ours(services: Services, name: str) -> None:
    kinds = (
        settings.PrepareSettings,
        settings.MasterSettings,
        settings.ProvisioningSettings,
        settings.ExecuteSettings,
        settings.ApiSettings,
    )
    known = {f"KALLAN_{field.upper()}" for kind in kinds for field in kind.model_fields} | {"KALLAN_PORT"}
    assert set(_environment(services[name])) <= known


def test_each_container_is_given_its_own_secrets_for_its_own_user(services: Services) -> None:
    handed = {volume.split(":")[1].removeprefix("/out/") for volume in services["secrets"]["volumes"][1:]}
    assert handed == {consumer.name for consumer in CONSUMERS}
    for consumer in CONSUMERS:
        holders = {
            name
            for name, service in services.items()
            if f"secrets-{consumer.name}:/run/secrets:ro" in service.get("volumes", ())
        }
        assert holders == ({"operator", "demo"} if consumer.name == "operator" else {consumer.name})
        assert {services[name]["user"] for name in holders} == {f"{consumer.uid}:{consumer.uid}"}


def test_each_process_has_the_password_of_the_login_that_it_uses_and_of_no_other(services: Services) -> None:
    for consumer in CONSUMERS:
        environment = _environment(services[consumer.name])
        if "KALLAN_DATABASE_URL" not in environment:
            continue
        login = urlsplit(environment["KALLAN_DATABASE_URL"]).username or ""
        assert consumer.files["database.password"] == database_password(login)
        kafka = environment.get("KALLAN_KAFKA_USER")
        assert consumer.files.get("kafka.password") == (kafka_password(kafka) if kafka else None)
        if consumer.name == "prepare":
            assert (login, kafka) == ("migrator", ADMIN)
        else:
            assert login in SCHEMAS
            assert kafka is None or kafka in logins()


def test_consumers_log_in_by_the_name_of_their_group_and_no_two_workers_share_a_login(services: Services) -> None:
    used = {name: _environment(services[name]).get("KALLAN_KAFKA_USER") for name in OURS}
    assert {name: used[name] for name in WORKERS} == {name: name for name in WORKERS}
    assert len(set(used.values())) == len(used)


@pytest.mark.parametrize("name", SERVICES)
def test_databases_are_reached_by_tls_with_a_checked_name(services: Services, name: str) -> None:
    for value in _environment(services[name]).values():
        if str(value).startswith("postgresql://"):
            assert urlsplit(value).query == "sslmode=verify-full&sslrootcert=/run/secrets/ca.pem"


def test_only_the_api_is_reached_from_outside_and_only_from_this_machine(services: Services) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:${KALLAN_PORT:-8443}:8443"]}
    networks = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["networks"]
    assert {name for name, network in networks.items() if not network.get("internal")} == {"front"}


def test_targets_are_reached_by_execute_and_by_commands_of_a_person_alone(services: Services) -> None:
    reaching = {name for name, service in services.items() if "targets" in service.get("networks", ())}
    assert reaching == {"openldap", "scim", "execute", "operator"}


def test_the_local_file_swaps_images_and_nothing_else() -> None:
    local = yaml.safe_load((ROOT / "docker-compose.local.yml").read_text())
    assert set(local) == {"services"}
    assert set(local["services"]) <= set(SERVICES)
    assert {key for service in local["services"].values() for key in service} == {"image", "pull_policy"}


def test_every_image_of_the_stack_is_built_locally(services: Services) -> None:
    local = yaml.safe_load((ROOT / "docker-compose.local.yml").read_text())["services"]
    used = {name: local.get(name, {}).get("image") or services[name]["image"] for name in SERVICES}
    tags = {re.sub(r"\$\{[A-Z_]+:-(.*)\}", r"\1", image) for image in used.values()}
    assert tags == {tag for tag, _, _ in IMAGES}
    assert all((ROOT / file).is_file() for _, file, _ in IMAGES)


def test_the_demo_is_on_unless_it_is_turned_off(services: Services) -> None:
    assert "COMPOSE_PROFILES=demo" in Path(ROOT / ".env").read_text().splitlines()
    assert {name for name in SERVICES if services[name].get("profiles") == ["demo"]} == {"demo", "issuer"}
