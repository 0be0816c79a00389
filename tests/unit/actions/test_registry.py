"""What the registry says of the built-in actions."""

from skyflow.actions.registry import BUILTINS
from skyflow.spec.uses import BUILT_IN_ACTIONS


def test_names_are_lower_case_and_actions_are_described() -> None:
    for name, action in BUILTINS.items():
        assert name == action.name == name.lower()
        assert action.summary.endswith(".")
        assert action.majors == tuple(sorted(action.majors))
        assert all(item.description.endswith(".") for item in action.inputs.values())
        assert dict(action.defaults) == {key: item.default for key, item in action.inputs.items() if item.default}
        assert not [key for key, item in action.inputs.items() if item.is_required and item.default]


def test_only_the_cache_has_something_to_do_afterwards() -> None:
    assert {name: action.post_if for name, action in BUILTINS.items() if action.has_post} == {
        "actions/cache": "success()"
    }


def test_validation_knows_the_same_actions() -> None:
    assert set(BUILT_IN_ACTIONS) == set(BUILTINS)
