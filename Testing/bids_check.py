"""Check the BIDS app with the BIDS validator: example in, derivative out; any error of either fails.

``make bids-check`` sets up what it needs (PyPI's bids-validator-deno, which brings its rules along) and runs this.
"""

from __future__ import annotations

import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from Testing import bids_example

VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")


def main() -> int:
    """Make the example, fill it, and validate all datasets; return the exit code."""
    with tempfile.TemporaryDirectory() as temporary:
        study = Path(temporary) / "study"
        output = study / "derivatives" / "medinpaint"
        bids_example.main(study)
        command = [sys.executable, "-m", "MedInpaintLib.cli", "bids", study, output]
        subprocess.run([*command, "participant", "--dilate", "1"], check=True)
        subprocess.run([*command, "group"], check=True)
        return max(validate(folder) for folder in (study, study / bids_example.LESIONS, output))


def validate(folder: Path) -> int:
    """Print what the validator says of a dataset, and return 1 if that is an error."""
    process = subprocess.run(
        [VALIDATOR, folder, "--format", "json"], capture_output=True, encoding="utf-8", check=False
    )
    document = json.loads(process.stdout)
    issues = document["issues"]["issues"]
    errors = [issue for issue in issues if issue["severity"] == "error"]
    warnings = collections.Counter(
        " ".join(filter(None, (issue["code"], issue.get("subCode")))) for issue in issues if issue not in errors
    )
    schema = document["summary"].get("schemaVersion", "?")
    print(f"{folder.name}: {len(errors)} errors, {warnings.total()} warnings (rules {schema})")
    for issue in errors:
        print(f"  error {issue['code']} {issue.get('subCode', '')} {issue.get('location', '')}")
    for what, count in warnings.most_common():
        print(f"  warning {what}: {count}")
    return int(bool(errors) or process.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
