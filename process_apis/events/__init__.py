"""Events: what happened, in one log, written with the change itself and read by cursor."""
