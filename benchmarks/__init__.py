"""Programs that measure: each prints a table. None is a test, for times and shares are no truths."""
