"""Why each account, group and role exists, what was done about it and how long it took; also why not.

`iam.explain.explain.explain` gives the answer, `iam.explain.render.render` puts it in words (msgspec encodes it as
JSON), `iam.explain.latency.latencies` tells how long changes take.
"""
