"""What all tests share: the order in which they run."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that the longest does not start last and alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    # A whole run takes longer than all else together.
    items.sort(key=lambda item: (item.path.name != "test_default_run.py", item.path not in slow))
