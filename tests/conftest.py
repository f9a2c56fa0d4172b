"""What all tests share: hypothesis takes the same examples in every run, on a slow machine too."""

import hypothesis

hypothesis.settings.register_profile("fakedove", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fakedove")
