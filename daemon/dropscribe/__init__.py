"""dropscribe watches inboxes, has a vision model read the scans in them, and files scan and text together.

Reading order for a newcomer, following one scan:

    daemon       locks, signals, the bell and the slots around one loop
    reconcile    one pass: look, settle, schedule, hand out
    inbox_state  what is known of one inbox between two looks
    transcribe   the story of one scan
    read_page    one page: recipe after recipe until an answer is accepted
    filer        ledger, text, scan: in the order in which a crash may stop them
    filing.atomic  the only module that changes inboxes, done/ and failed/

The three acts `intake`, `reading` and `filing` never import each other. ARCHITECTURE.md has the picture.
"""

__version__ = "0.1.0"
