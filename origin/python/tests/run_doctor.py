"""Runs the doctor as ``python -m doorward_origin`` does, and keeps what it found: ``run_doctor.py FOLDER doctor … --json``."""

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

from doorward_origin.doctor import report
from doorward_origin.doctor.command_line import main

FOLDER = Path(sys.argv[1])
as_json = report.as_json


def keep(found: report.Report, hidden: Sequence[str]) -> str:
    FOLDER.joinpath("facts").write_bytes(pickle.dumps(found.facts))
    FOLDER.joinpath("text").write_text(report.as_text(found, hidden, report.Style(colours=False)), "utf-8")
    return as_json(found, hidden)


report.as_json = keep  # type: ignore[assignment]
sys.exit(main(sys.argv[2:]))
