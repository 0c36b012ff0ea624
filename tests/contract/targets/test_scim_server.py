"""What holds for SCIM servers beyond the port: ETags, several groups of one name, what is not ours in a user."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from connectors.targets.port import Presence
from connectors.targets.scim.engine import HttpxScimClient, provider_with
from connectors.targets.scim.errors import HttpFailure, Outcome
from connectors.targets.scim.models import Account
from connectors.targets.scim.session import Session, equals
from connectors.targets.scim.settings import ScimSettings
from connectors.targets.scim.target import ScimTarget
from streams.contracts.errors import Rejected, Unavailable
from tests.contract.targets.benches import ScimBench, account, new_key

pytestmark = pytest.mark.parametrize("bench", ["scim"], indirect=True)


def test_a_write_that_rests_on_an_old_reading_is_not_done(scim_bench: ScimBench) -> None:
    key = new_key()
    scim_bench.scim.ensure(account(key, display_name="Anna"))
    settings = ScimSettings(f"http://127.0.0.1:{scim_bench.port}/v2", scim_bench.token)
    client = HttpxScimClient(settings)
    session = Session(client, settings)
    client.provider = provider_with(session.configuration())
    old = session.find_all(Account, equals("externalId", key))[0]
    scim_bench.rename_by_hand(key, "Kungen")
    change = {"op": "replace", "path": "displayName", "value": "Drottningen"}
    with pytest.raises(HttpFailure) as raised:
        session.patch(old, [change], {Outcome.WRITTEN_BETWEEN})
    assert raised.value.outcome is Outcome.WRITTEN_BETWEEN
    client.close()
    assert scim_bench.user(key)["displayName"] == "Kungen"


def test_what_is_not_ours_in_a_user_stays(scim_bench: ScimBench) -> None:
    key = new_key()
    scim_bench.scim.ensure(account(key, display_name="Anna", mail=f"{key}@kommun.test"))
    phones = {"op": "add", "path": "phoneNumbers", "value": [{"value": "070-1740605", "type": "work"}]}
    home = {"op": "add", "path": "emails", "value": [{"value": "hem@kommun.test", "type": "home"}]}
    scim_bench.patch_user(key, phones)
    scim_bench.patch_user(key, home)
    scim_bench.scim.ensure(account(key, display_name="Anna Ek", mail=f"ny-{key}@kommun.test"))
    user = scim_bench.user(key)
    assert [phone["value"] for phone in user["phoneNumbers"]] == ["070-1740605"]
    assert {mail["type"]: mail["value"] for mail in user["emails"]} == {
        "home": "hem@kommun.test",
        "work": f"ny-{key}@kommun.test",
    }
    scim_bench.scim.ensure(account(key))
    assert [mail["type"] for mail in scim_bench.user(key)["emails"]] == ["home"]


def test_two_users_with_one_key_are_refused(scim_bench: ScimBench) -> None:
    key = new_key()
    scim_bench.seed([key], f"org:unit:k:{new_key()}")
    double = scim_bench.double(key)
    for presence in Presence:
        with pytest.raises(Rejected, match="more than one account"):
            scim_bench.scim.ensure(account(key, presence))
    scim_bench.delete_user(double)


def test_of_two_groups_with_one_name_the_older_is_used_and_both_are_left(scim_bench: ScimBench) -> None:
    one, other, unit = new_key(), new_key(), f"org:unit:k:{new_key()}"
    scim_bench.scim.ensure(account(one, groups=[unit]))
    scim_bench.scim.ensure(account(other))
    scim_bench.make_group(unit, [one, other])
    read = scim_bench.scim.read(other)
    assert read is not None
    assert read.state.groups == {unit}
    late = new_key()
    fresh = scim_bench.target_at(scim_bench.port, timeout=10)
    fresh.ensure(account(late, groups=[unit]))
    fresh.close()
    older, newer = scim_bench.groups(unit)
    assert len(older["members"]) == 2
    assert scim_bench.scim.ensure(account(one)).state.groups == frozenset()
    assert [len(group.get("members", [])) for group in scim_bench.groups(unit)] == [1, 1]
    assert newer["displayName"] == unit


def test_a_group_that_was_deleted_by_hand_is_made_again(scim_bench: ScimBench) -> None:
    one, other, unit = new_key(), new_key(), f"org:unit:k:{new_key()}"
    scim_bench.scim.ensure(account(one, groups=[unit]))
    scim_bench.delete_group(unit)
    assert scim_bench.scim.ensure(account(other, groups=[unit])).state.groups == {unit}
    assert scim_bench.members(unit) == {other}


def test_a_wrong_token_makes_everything_wait(scim_bench: ScimBench) -> None:
    target = ScimTarget(ScimSettings(f"http://127.0.0.1:{scim_bench.port}/v2", "wrong"))
    with pytest.raises(Unavailable, match="status 401") as raised:
        target.ensure(account(new_key()))
    assert raised.value.code == "target.unreachable"
    target.close()


@contextlib.contextmanager
def poor_server(bench: ScimBench) -> Iterator[ThreadingHTTPServer]:
    """In front of the real one: it tells nothing about itself, and refuses `or` in filters."""

    class Poor(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            if "ServiceProviderConfig" in self.path:
                self.send(404, b"{}")
            elif "+or+" in self.path or "%20or%20" in self.path:
                self.server.refused += 1  # type: ignore[attr-defined]
                self.send(400, b'{"scimType": "invalidFilter"}')
            else:
                headers = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
                url = f"http://127.0.0.1:{bench.port}{self.path}"
                answer = httpx.request(self.command, url, content=body, headers=headers, trust_env=False)
                self.send(answer.status_code, answer.content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  # the names that http.server calls

        def send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/scim+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Poor)
    server.refused = 0  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_that_tells_nothing_and_knows_no_or_is_used_all_the_same(scim_bench: ScimBench) -> None:
    boss, key = new_key(), new_key()
    with poor_server(scim_bench) as server:
        target = scim_bench.target_at(server.server_address[1], timeout=10)
        target.ensure(account(boss))
        wanted = account(key, display_name="Anna", manager=boss)
        assert target.ensure(wanted).state == wanted
        assert target.ensure(wanted).changed == ()
        assert not target.capabilities().conditional_writes
        target.close()
        assert server.refused == 1  # type: ignore[attr-defined]


def test_a_wrong_address_is_refused(scim_bench: ScimBench) -> None:
    target = ScimTarget(ScimSettings(f"http://127.0.0.1:{scim_bench.port}/elsewhere", scim_bench.token))
    with pytest.raises(Rejected, match="status 404"):
        target.ensure(account(new_key()))
    target.close()
