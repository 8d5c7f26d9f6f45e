"""One folder a commerce vendor; ``embedded`` serves the quick start and the tests."""
