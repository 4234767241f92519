"""Questions asked of a finished plan: why, what if, how firm, compared with what."""
