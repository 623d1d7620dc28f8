"""Model files and checkpoints: a document and arrays in, one published file out, and back with every byte checked."""
