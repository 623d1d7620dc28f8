"""Networks that learn: optimizers, schedules, metrics, data, callbacks, and the compiled loop."""
