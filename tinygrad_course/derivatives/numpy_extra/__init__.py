"""The rows of the rest of NumPy, a file a family."""
