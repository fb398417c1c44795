"""Services: what dropscribe tells the manager that runs it, and the unit or plist by which it is run."""
