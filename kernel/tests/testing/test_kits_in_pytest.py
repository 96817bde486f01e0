"""The store kits as a plugin author meets them: a test file of his own, run by pytest."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TRACKING = """
import pytest
from drupe.testing.memory import MemoryTrackingStore
from drupe.testing.tracking_store import TrackingStoreKit

class Forgetful(MemoryTrackingStore):
    def delete_run_tag(self, run_id, key):
        self._active_run(run_id).tags.clear()

class TestForgetful(TrackingStoreKit):
    {cannot}

    @pytest.fixture
    def store(self):
        return Forgetful()
"""
ONE = ["-q", "-p", "no:cacheprovider", "-k", "deleted_run_tag or what_is_left_out"]
CAUGHT = "test_a_deleted_run_tag_is_gone_and_cannot_be_deleted_again"


def test_a_broken_store_turns_its_test_red_and_shows_the_values(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRACKING.format(cannot=""))
    result = pytester.runpytest_inprocess(*ONE)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([f"*FAILED*::TestForgetful::{CAUGHT}*", "*1 failed*"])
    result.stdout.fnmatch_lines(["E *assert {} == {'mlflow.runName': 'first'}*"])


def test_what_a_store_cannot_do_is_skipped_with_its_reason(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRACKING.format(cannot=f'cannot = {{"{CAUGHT}": "tags of the old server stay"}}'))
    result = pytester.runpytest_inprocess(*ONE, "-rs")
    result.assert_outcomes(skipped=1, passed=1)
    result.stdout.fnmatch_lines(["SKIPPED*tags of the old server stay*"])


def test_leaving_out_a_test_that_does_not_exist_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRACKING.format(cannot='cannot = {"test_of_another_release": "why not"}'))
    result = pytester.runpytest_inprocess(*ONE, "-k", "what_is_left_out")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_what_is_left_out_are_tests_of_this_kit*", "*test_of_another_release*"])


def test_a_kit_without_its_fixture_says_what_is_needed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from drupe.testing.registry_store import RegistryStoreKit

        class TestNothing(RegistryStoreKit):
            pass
        """
    )
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-k", "closing_a_store_twice")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*TestNothing needs a fixture `store` that yields an open, empty store*"])
