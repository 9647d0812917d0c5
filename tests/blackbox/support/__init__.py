"""What the black-box tests stand on: a real server, bytes on the wire, a small registry client."""
