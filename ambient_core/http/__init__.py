"""What HTTP itself says, as values: bodies, conditions, patches, origins. Knows no kind and no database."""
