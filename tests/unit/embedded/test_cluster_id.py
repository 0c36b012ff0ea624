"""A new broker's folder can always be formatted."""

from deploy.embedded.kafka import cluster_id


def test_a_cluster_id_never_begins_with_what_kafka_takes_for_an_option() -> None:
    hyphen, plain = b"\xf8" + bytes(15), bytes(16)
    assert cluster_id(iter([hyphen, hyphen, plain]).__next__) == "A" * 22


def test_two_clusters_have_two_ids() -> None:
    assert cluster_id() != cluster_id()
