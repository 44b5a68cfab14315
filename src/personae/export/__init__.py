"""EXPORT: the people found, as files that people and programs read."""

from personae.export.folders import FoldersWritten, write_folders
from personae.export.found import FoundFace, read_faces_csv
from personae.export.page import Corrigible, write_page
from personae.export.people import People, Person
from personae.export.people_json import write_people_json
from personae.export.sidecars import SidecarsWritten, write_sidecars
from personae.export.tables import write_faces_csv, write_people_csv

__all__ = [
    "Corrigible",
    "FoldersWritten",
    "FoundFace",
    "People",
    "Person",
    "SidecarsWritten",
    "read_faces_csv",
    "write_faces_csv",
    "write_folders",
    "write_page",
    "write_people_csv",
    "write_people_json",
    "write_sidecars",
]
