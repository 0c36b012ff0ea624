"""Schema `mmd` in PostgreSQL: its tables, what is sealed in them, and the ordinary reads."""
