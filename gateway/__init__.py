"""The composition root: settings, supervisor, command line and the application that they run."""
