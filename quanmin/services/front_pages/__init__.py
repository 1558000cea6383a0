"""Quality of discharge front pages: the score of each institution and coder, the errors that cost most, and those that move a case's group."""
