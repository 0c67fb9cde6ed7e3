"""What makes a Value look like an array."""
