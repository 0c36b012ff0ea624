"""Provisioning as pure functions: policy, desired, permit, names. Facts in, intents and reasons out."""
