"""Azure virtual machines, through azure-mgmt-compute."""
