"""The command line: `main` is the root, one file per noun. Not for programs: those call `drupe` itself."""
