"""Who looks on during a run: callbacks, monitors, checkpoints, the progress bar; they see records, never the loop."""
