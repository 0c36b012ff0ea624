"""Evaluation: what the master says becomes what each account shall be."""
