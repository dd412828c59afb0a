"""The pages of one node, served to browsers: everything works without script."""
