"""PostgreSQL schema `connectors`: the state of source connectors."""
