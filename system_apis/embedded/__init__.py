"""What the embedded connectors stand on: record files and the authored seed dataset."""

from system_apis.embedded.deliveries import Told, read_delivery
from system_apis.embedded.matching import Match, among, where
from system_apis.embedded.record_files import RecordFile, RecordFiles, fingerprint
from system_apis.embedded.seed import seed_rows

__all__ = ["Match", "RecordFile", "RecordFiles", "Told", "among", "fingerprint", "read_delivery", "seed_rows", "where"]
