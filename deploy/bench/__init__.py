"""The bench: how fast, beside what the same machine could do at best in the same minutes.

figures, report         what was measured, as numbers, table and JSON: pure
machine, memory         where and under which load
population, bulk        whom it is measured with: native source files, and messages as the connectors make them
startup, accounts, latency, reads, ingest, growth, scaling    one measurement each
null_agent, bare_api    the bounds that are processes of their own
run                     all of it, in order, on one embedded stack

A bound is what the same work costs without Källan: the same client library, server, messages. Nothing here is asserted.
"""
