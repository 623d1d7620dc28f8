"""The command line `train`: data by name or from a CSV file, one network, its learning curve printed."""
