"""One folder a CRM vendor; ``embedded`` serves the quick start and the tests."""
