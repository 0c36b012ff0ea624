"""What every HTTP status (RFC 7644, section 3.12) and every httpx exception means for the one who asked."""

from enum import Enum

import httpx

from streams.contracts.errors import KallanError, Rejected, Unavailable


class Outcome(Enum):
    DONE = "done"
    MISSING = "missing"  # 404
    CLASH = "clash"  # 409: somebody else has this userName
    WRITTEN_BETWEEN = "written between"  # 412: not the version that was read
    REFUSED = "refused"  # the same request will be refused again
    NOT_NOW = "not now"  # nothing was sent, or the server says that it did nothing and may do it later
    LOST = "lost"  # the request may have been done


class HttpFailure(Exception):
    """A request that did not succeed. `scim_type` is the error's keyword (noTarget, uniqueness, ...)."""

    def __init__(self, outcome: Outcome, why: str, scim_type: str = "") -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why
        self.scim_type = scim_type


_BY_STATUS = {
    404: Outcome.MISSING,
    409: Outcome.CLASH,
    412: Outcome.WRITTEN_BETWEEN,
    401: Outcome.NOT_NOW,  # the token concerns every account alike: everything waits until it is renewed
    407: Outcome.NOT_NOW,
    425: Outcome.NOT_NOW,
    429: Outcome.NOT_NOW,
    503: Outcome.NOT_NOW,
    408: Outcome.LOST,
    501: Outcome.REFUSED,
}

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

EXPECTED_EXCEPTIONS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict)
"""All that httpx raises."""

STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""What a kept connection that the server has closed in the meantime looks like."""


def outcome_of_status(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.DONE
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Outcome.LOST if status >= 500 else Outcome.REFUSED


def outcome_of_exception(error: Exception) -> Outcome:
    return Outcome.NOT_NOW if isinstance(error, _NOTHING_SENT) else Outcome.LOST


def error_for(outcome: Outcome, detail: str, *, may_be_done: bool) -> KallanError:
    """The port's error. `may_be_done`: this request writes and was sent, or an earlier one of the same call wrote."""
    if outcome in {Outcome.NOT_NOW, Outcome.LOST, Outcome.WRITTEN_BETWEEN}:
        return Unavailable("target.unknown-outcome" if may_be_done else "target.unreachable", detail)
    return Rejected("target.refused", detail)
