//! Only tests: see `tests/`. The suite in `tests/suite` runs once for each version of tower-sessions.
