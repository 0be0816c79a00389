"""The workflow language as data: which keys there are, what their values look like, what expressions may name there.

`workflow` and `action` have the grammar of a file each; `jobs`, `steps`, `events` and `common` are their parts, and
`shapes` is what they are made of.
"""
