"""The compose stack where no image registry is reachable: images from package sources, then the stack tried and taken down.

`make compose-local`; see docs/compose.md. Where packages come from is the machine's own configuration (apt, pip, go), read
when it runs and written nowhere.
"""
