"""OpenAPI 3.1 documents, made from the contracts and from what each policy says of itself."""

from governance.openapi.document import document, encoded
from governance.openapi.export import Stale, document_path, export

__all__ = ["Stale", "document", "document_path", "encoded", "export"]
