"""How property tests search: the same cases each time, so that a test run says something about the change it tests.

`HYPOTHESIS_PROFILE=search` looks at new cases, and at many more of them; what it finds becomes an `@example`.
"""

import os

from hypothesis import settings

pytest_plugins = ["testbed.fixtures"]

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=3_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
