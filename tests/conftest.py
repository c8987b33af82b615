"""Settings of all tests."""

from hypothesis import settings

# A busy machine must not fail a test that is only slow.
settings.register_profile("l1met", deadline=None, print_blob=True)
settings.load_profile("l1met")
