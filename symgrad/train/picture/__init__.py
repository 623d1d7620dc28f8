"""A training as a page: what is recorded of it, drawn by matplotlib, in one HTML file that needs nothing else."""
