"""The five laws of practices, held over every kind and practice of the registry."""
