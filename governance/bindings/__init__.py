"""The three bindings of a contract: served over HTTP, local in process, remote to another process."""
