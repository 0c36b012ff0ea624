"""Adapters: one folder a system. Sources know the wire, targets know their port; neither knows the other."""
