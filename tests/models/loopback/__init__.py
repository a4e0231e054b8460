"""Model servers on this machine that speak raw HTTP as the real ones do, faults included."""
