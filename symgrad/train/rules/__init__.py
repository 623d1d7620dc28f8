"""What a training step computes, as tables: optimizers, schedules, metrics: symbolic in, nodes out, nothing runs."""
