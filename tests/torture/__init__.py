"""What no scan may get lost in: stops, faults and power cuts at every operation of a whole pass."""
