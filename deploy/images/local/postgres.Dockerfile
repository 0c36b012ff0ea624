# PostgreSQL where no registry is reachable: Debian's packages, user and paths as in the public image.
ARG BASE=kallan-local/base:bookworm
FROM ${BASE}
RUN groupadd --gid 999 postgres \
 && useradd --uid 999 --gid 999 --no-create-home --home-dir /var/lib/postgresql --shell /bin/sh postgres \
 && apt-get update -qq \
 && mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 </dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/lib/postgresql \
 && install -d -o 999 -g 999 -m 0700 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin
USER 999:999
