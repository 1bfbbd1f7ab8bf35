"""What goes out: attempts, and the outbound record of each."""
