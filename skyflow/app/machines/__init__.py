"""Where jobs run beside this machine: hosts, pools, clusters, and machines that are rented."""
