"""The lab's own parsers, one for each syntax family: what a simulated switch enforces. The prover never uses them."""
