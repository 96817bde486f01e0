"""What the HTTP servers of drupe share: connections, bodies, the gate, answers, figures, workers. Registers nothing; see drupe-server-rest."""
