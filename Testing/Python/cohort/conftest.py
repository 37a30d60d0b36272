"""What the tests of cohorts share."""

import pytest

from Testing.Python.studies import Here, Study


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path, 3)


@pytest.fixture
def here():
    return Here()
