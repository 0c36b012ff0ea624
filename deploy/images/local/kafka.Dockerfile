# Kafka where no registry is reachable: Debian's Java and the jars that deploy/embedded/jars.json pins, laid out as in the
# public image.
ARG BASE=kallan-local/base:bookworm
FROM ${BASE}
RUN groupadd --gid 1000 appuser && useradd --uid 1000 --gid 1000 --no-create-home --shell /usr/sbin/nologin appuser \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless </dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \
 && install -d -o 1000 -g 1000 -m 0700 /var/lib/kafka/data
COPY build/jars /opt/kafka/libs
USER 1000:1000
