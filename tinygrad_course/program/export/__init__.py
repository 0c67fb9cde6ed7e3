"""Programs in other notations: each printer is filled from the facts of the rows of `derivatives`."""
