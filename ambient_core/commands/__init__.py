"""The commands of ``ambient``, one module each; imported when they are called."""
