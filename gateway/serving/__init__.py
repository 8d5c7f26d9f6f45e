"""What the supervisor is made of: the home folder, the listener, the worker processes, the words it prints."""
