#!/bin/sh
# Runs PostgreSQL in the public image and in the one that is built locally: both have initdb and postgres on PATH.
# The cluster is made once, beside its place, so that one that was interrupted is made anew.
set -eu

data=/var/lib/postgresql/data
if [ ! -f "$data/kallan/PG_VERSION" ]; then
  rm -rf "$data/making"
  initdb --pgdata "$data/making" --username postgres --pwfile /run/secrets/postgres.password \
    --auth-local peer --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8 --data-checksums
  mv "$data/making" "$data/kallan"
fi
exec postgres -D "$data/kallan" -c config_file=/kallan/postgresql.conf -c hba_file=/kallan/pg_hba.conf
