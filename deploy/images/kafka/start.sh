#!/bin/sh
# Runs the broker in the public image and in the one that is built locally: both have java and /opt/kafka/libs.
# The log folder is formatted once; the administrator's login (salted, see deploy/compose/secrets.py) is put in then.
set -eu

run() {
  exec java -Xms384m -Xmx512m -XX:MaxDirectMemorySize=128m -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData \
    -Djava.awt.headless=true -Dlog4j2.configurationFile=/kallan/log4j2.properties -cp '/opt/kafka/libs/*' "$@"
}

if [ ! -f /var/lib/kafka/data/log/meta.properties ]; then
  (run kafka.tools.StorageTool format --config /kallan/server.properties \
    --cluster-id "$(cat /run/secrets/cluster.id)" --add-scram "$(cat /run/secrets/admin.scram)")
fi
run kafka.Kafka /kallan/server.properties
