"""The REST protocol of MLflow as data: routes, what is asked, what is answered. Shared by servers and clients; nothing here opens a socket.

`routes` is the table, the rooms `tracking`, `registry`, `logged_models` and `artifacts` hold the shapes, `shapes` reads and writes them,
`faults` does so for errors. Facts are from MLflow 2.22 and 3.17; where we are stricter or kinder, the shape says so.
"""
