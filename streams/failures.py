"""Which errors time can mend, which are the record's own, and which are neither."""

import psycopg

from streams.contracts.errors import KallanError, Rejected, Unavailable

# A database that is not migrated yet, or whose grants are missing, is no fault of the record: sqlstates for an undefined
# table, column, function or schema, a missing privilege, and a server that is read-only after a fail-over.
_NOT_THE_RECORD = {"42P01", "42703", "42883", "3F000", "42501", "25006"}


def transient(error: Exception) -> bool:
    """Whether trying again later can help. `psycopg.OperationalError` covers lost connections, deadlocks, serialization
    failures and pool time-outs; a limit of the server that the record exceeds (class 54) comes under it too."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate or ""
        waits = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not state.startswith("54")
        return waits or state in _NOT_THE_RECORD
    return isinstance(error, Unavailable)


def nobodys_record(error: Exception) -> bool:
    """Neither time nor another record would help: the settings are wrong. The process stops and says so."""
    return isinstance(error, KallanError) and not isinstance(error, Rejected | Unavailable)


def unexpected(error: Exception) -> KallanError:
    """Any error as one with a code; of an error nobody expected its class only, for its text may hold what the record
    held."""
    return error if isinstance(error, KallanError) else KallanError("internal.unexpected", type(error).__name__)
