"""What every LDAP result code (RFC 4511, appendix A) and every ldap3 exception means for the one who asked.

An LDAP operation is atomic: a result other than success says that the server did not do it. What is unknown is what was
sent and never answered.
"""

import struct
from enum import Enum

from ldap3.core import exceptions, results
from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]

from streams.contracts.errors import KallanError, Rejected, Unavailable


class Outcome(Enum):
    DONE = "done"
    REFUSED = "refused"  # the same request will be refused again
    NOT_NOW = "not now"  # the server says that it did nothing and may do it later
    LOST = "lost"  # the connection or the answer was lost: the last request may have been done


_NOT_NOW = frozenset(
    {
        results.RESULT_BUSY,
        results.RESULT_UNAVAILABLE,
        results.RESULT_TIME_LIMIT_EXCEEDED,
        results.RESULT_OPERATIONS_ERROR,  # out of sequence on this connection: a new one may do
        results.RESULT_ASSERTION_FAILED,  # somebody else wrote in between; callers read again before it comes to this
    }
)
_LOST = frozenset({results.RESULT_OTHER, results.RESULT_CANCELED, results.RESULT_TOO_LATE})

EXPECTED_EXCEPTIONS = (
    exceptions.LDAPException,
    OSError,
    PyAsn1Error,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""What ldap3 lets out: its own, the socket's, and what its decoders raise over an answer that is not LDAP."""

_LOST_EXCEPTIONS = (
    exceptions.LDAPCommunicationError,
    exceptions.LDAPResponseTimeoutError,
    exceptions.LDAPMaximumRetriesError,
    exceptions.LDAPExtensionError,
    exceptions.LDAPServerPoolError,
    exceptions.LDAPStartTLSError,
    exceptions.LDAPTransactionError,
)


def outcome_of_code(code: int) -> Outcome:
    if code == results.RESULT_SUCCESS:
        return Outcome.DONE
    if code in _NOT_NOW:
        return Outcome.NOT_NOW
    return Outcome.LOST if code in _LOST else Outcome.REFUSED


def outcome_of_exception(error: Exception) -> Outcome:
    """Errors that ldap3 finds in the request itself, before it sends anything, are refusals."""
    if isinstance(error, exceptions.LDAPOperationResult):
        code = getattr(error, "result", None)
        return outcome_of_code(code) if isinstance(code, int) and code else Outcome.LOST
    if isinstance(error, _LOST_EXCEPTIONS) or not isinstance(error, exceptions.LDAPException):
        return Outcome.LOST
    return Outcome.REFUSED


def error_for(outcome: Outcome, detail: str, *, may_be_done: bool) -> KallanError:
    """The port's error. `may_be_done`: this request writes, or an earlier one of the same call has written.

    `detail` names the operation and code, never a DN or value (server messages hold both, so they are left out).
    """
    if outcome is Outcome.REFUSED:
        return Rejected("target.refused", detail)
    if may_be_done:
        return Unavailable("target.unknown-outcome", detail)
    return Unavailable("target.unreachable", detail)
