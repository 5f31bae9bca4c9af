"""For every test: no example of a property has a deadline, since a busy machine is not a bug.

Where Hypothesis knows that it runs in CI, its own profile (the same examples in every run) stays underneath.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("sealcam", settings.default, deadline=None)
settings.load_profile("sealcam")
