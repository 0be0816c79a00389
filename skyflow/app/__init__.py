"""Use cases: where the features meet. One module per thing a user can do; the command line and the library call these."""
