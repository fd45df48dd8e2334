"""ZeroMQ: the sockets, and the clients that drive a session over them."""
