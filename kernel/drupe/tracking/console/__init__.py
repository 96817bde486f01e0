"""What a run's programs print: captured at the level of file descriptors, kept in parts, readable while the run goes on.

`capture` puts channels in the place of stdout and stderr; `witness` is the process at their other end, which writes to the terminal
and, through `screen` and `logbook`, to files in the run's own folder; `keeping` makes artifacts of these by `archive`; `reading` reads both.
Whether to capture at all is decided in `choice`; what the files are called and how their lines look is in `parts`.
"""
