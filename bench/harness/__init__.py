"""Parts of bench/overhead: the agent, its trail, containers, workloads, and the report."""
