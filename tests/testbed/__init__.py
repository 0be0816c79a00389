"""Machines and servers that tests start on this computer, and break."""
