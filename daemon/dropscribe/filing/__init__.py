"""The act of filing: text and scan put where they belong, so that no crash can part or lose them."""
