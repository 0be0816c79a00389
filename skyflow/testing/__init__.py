"""What every implementation of a port has to do, as test classes: subclass one, and give it a fixture.

The classes need pytest and its plugin anyio; mark the subclass with `pytest.mark.anyio`.
"""
