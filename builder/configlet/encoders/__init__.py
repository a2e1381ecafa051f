"""Tables that are not text: from fitted rows to what a platform's own tables hold. Pure."""
