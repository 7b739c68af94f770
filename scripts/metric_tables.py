"""Regenerate the tables of docs/metrics, each between its two marker lines `<!-- x -->` and `<!-- /x -->`.

    python scripts/metric_tables.py cases           every metric of conf/metric, as it is set there, on nine codes;
                                                    about four minutes, of which `downstream` takes two
    python scripts/metric_tables.py numbers         what every metric declares of its numbers, at once
    python scripts/metric_tables.py cases mig sap   of these metrics only; the overview then takes the others' old rows
    python scripts/metric_tables.py reference       our values beside those of disentanglement_lib, within five minutes
    python scripts/metric_tables.py estimators      bias and spread of what is estimated by sampling

The same numbers on every call. An en dash stands where a metric does not apply.
"""

import argparse
import sys
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.tables import cases, estimators, reference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cases", "numbers", "reference", "estimators"))
    parser.add_argument("metrics", nargs="*", help="of `cases`: these only")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    match arguments.what:
        case "cases":
            cases.write_cases(arguments.metrics)
        case "numbers":
            cases.write_numbers()
        case "reference":
            reference.write_reference()
        case "estimators":
            estimators.write_estimators()


if __name__ == "__main__":
    main()
