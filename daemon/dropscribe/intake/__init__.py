"""The act of intake: looking at inboxes, letting scans settle, taking them up."""
