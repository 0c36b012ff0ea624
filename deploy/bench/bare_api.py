"""The bound of the API: `python -m deploy.bench.bare_api PORT`: FastAPI, one endpoint, one select, nothing else.

Same server and settings as the API, same database (KALLAN_DATABASE_URL); no token, no release, no log of reading.
"""

import os
import sys
from uuid import UUID

import psycopg_pool
import uvicorn
from fastapi import FastAPI


def application(database_url: str) -> FastAPI:
    pool = psycopg_pool.ConnectionPool(database_url, min_size=8, max_size=8, open=True, kwargs={"autocommit": True})
    app = FastAPI(openapi_url=None)

    @app.get("/persons/{person}")
    def read_person(person: UUID) -> dict[str, object]:
        with pool.connection() as connection:
            row = connection.execute("select id, octet_length(body) from mmd.document where id = %s", (str(person),))
            found = row.fetchone()
        return {"id": found[0], "bytes": found[1]} if found else {}

    return app


def main(port: int) -> None:
    app = application(os.environ["KALLAN_DATABASE_URL"])
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, server_header=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
