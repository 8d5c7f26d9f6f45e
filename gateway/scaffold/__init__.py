"""Skeletons of what is added in a folder: APIs, connectors and policies that work before a line is changed.

A skeleton is a folder of templates, ``templates/<kind>/``, as it will stand below a repository's
root; names of files and words in them are filled in. They are package data (``.tmpl``), no code.
"""

from gateway.scaffold.names import Names, Refused
from gateway.scaffold.skeleton import KINDS, Kind, new

__all__ = ["KINDS", "Kind", "Names", "Refused", "new"]
