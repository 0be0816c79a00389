"""What the user hands over beside the workflow: secrets, which are never stored, and variables.

`dotenv` reads files, `assignments` options, `secrets` gathers all sources, `system_keyring` asks the system's own store,
`references` says which secrets a workflow names, and `masks` in which shapes a secret may show up in output.
"""
