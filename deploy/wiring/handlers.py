"""The handlers that the consumer groups' workers run."""

from deploy.settings import MasterSettings, ProvisioningSettings
from deploy.wiring import master, provisioning
from deploy.wiring.base import Base
from deploy.wiring.groups import GROUPS
from streams.bus import Handler
from streams.contracts.errors import Rejected


def handler_of(group: str, base: Base, of_master: MasterSettings, of_provisioning: ProvisioningSettings) -> Handler:
    """Raises `Rejected("resource.unknown")` for a group that is none of ours."""
    if group not in GROUPS:
        raise Rejected("resource.unknown", f"consumer group {group}")
    if group.startswith("ingest"):
        return master.ingest_handler(base, of_master)
    return provisioning.evaluate_handler(base, of_provisioning)
