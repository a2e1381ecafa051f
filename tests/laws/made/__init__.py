"""Documents and texts that dice make."""
