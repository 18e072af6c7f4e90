"""Tasks over an executor: processes, a cluster, what stops them; broken pools are rebuilt."""
