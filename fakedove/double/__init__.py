"""What a test double adds to the server: stubs that answer instead, and a journal of it all."""
