"""The one place where things are put together: everything is given its parts, nothing else reads settings.

One module a leg, so that a worker loads only what it runs.
"""
