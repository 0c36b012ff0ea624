"""Pages of `docs/` that are made from the code and from data files, so that they cannot say something else."""
