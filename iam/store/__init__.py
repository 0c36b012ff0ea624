"""PostgreSQL schema `iam`: tables, readers and the hashes of desired and observed state."""
